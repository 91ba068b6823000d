"""The declared features, one file a family."""
