"""Outcomes of the plan: orders, returns, reviews."""
