"""A simulated market's true expectations, for benchmarks alone."""
