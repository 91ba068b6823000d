"""Figures with their range, times, verdicts and output of all benchmarks."""
