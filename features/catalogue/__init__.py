"""The one list of features, and how to read it."""
