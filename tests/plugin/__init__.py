"""A package as a third party would write it: a step type, a function and a collection, through the public names only."""
