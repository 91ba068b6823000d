"""The list of all features, with its page and its commands."""
