"""Check the values that requests would use: bounds, nulls, freshness, drift."""
