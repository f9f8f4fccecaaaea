"""A package with providers as a third party would write it. Nothing here runs until a connection uses it."""
