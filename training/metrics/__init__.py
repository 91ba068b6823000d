"""Losses, calibration error, coverage, bootstrap intervals."""
