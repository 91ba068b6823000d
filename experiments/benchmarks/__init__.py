"""Benchmarks, each against something honest in the same run."""
