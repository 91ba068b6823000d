"""Check the values that a model is asked with: bounds, nulls, freshness, drift."""
