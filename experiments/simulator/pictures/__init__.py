"""Plots of a simulated market."""
