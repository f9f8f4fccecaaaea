"""A package as a third party would write it: a step type, functions and a collection."""
