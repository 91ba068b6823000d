"""The declarations of features, a family a file."""
