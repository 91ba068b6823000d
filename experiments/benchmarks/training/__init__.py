"""Benchmark of the cost of training, beside bare LightGBM and on a cluster."""
