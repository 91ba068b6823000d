"""Fit boosters, here or on a Dask cluster."""
