"""How a score is made and served: bundle, scoring function, HTTP service."""
