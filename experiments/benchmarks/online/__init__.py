"""Measure the online snapshot: opening, look-up, and the memory of a worker."""
