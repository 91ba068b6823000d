"""Benchmark of the objectives and the number of boosters, on forward splits."""
