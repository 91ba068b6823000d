"""Simulate a market with known truth."""
