"""Benchmark of the product beside what a user would build by hand, on real and simulated data."""
