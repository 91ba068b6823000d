"""Benchmark of the estimators on a year of real groceries, the Complete Journey."""
