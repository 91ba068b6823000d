"""Predict a target: boosters, calibration curve, seasonality."""
