"""Declare features: kinds, levels, functions and the design matrix."""
