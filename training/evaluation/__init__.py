"""Evaluate a model on later data, beside baselines."""
