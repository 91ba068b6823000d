"""Benchmark of the models against the known truth of simulated markets."""
