"""Fit, calibrate and evaluate the models of all targets."""
