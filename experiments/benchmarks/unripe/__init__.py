"""Benchmark of early rates, read while the latest sales are still immature."""
