"""Benchmark of the cost of features, beside SQL written by hand."""
