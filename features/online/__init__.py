"""The online snapshot: look-up of features by key."""
