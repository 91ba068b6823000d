"""True expectations of a simulated market, for benchmarks alone."""
