"""The declarations of features, one file for each family."""
