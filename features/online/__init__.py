"""Look up features by key in the online snapshot."""
