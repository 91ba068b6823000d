"""What a feature is: kinds, levels, functions and the design matrix."""
