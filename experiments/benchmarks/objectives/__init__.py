"""Benchmark of what boosters of sell-through learn: demand, shares or counts."""
