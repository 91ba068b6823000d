"""Fit calibration curves and conformal intervals."""
