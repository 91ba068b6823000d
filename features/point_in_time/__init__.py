"""Compute features and labels as they were known at a moment."""
