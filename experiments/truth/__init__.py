"""The truth of a simulated market: for experiments and tests alone."""
