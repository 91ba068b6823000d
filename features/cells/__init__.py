"""Read cells, identifiers and times in one way for `check`, `score`, HTTP and importers."""
