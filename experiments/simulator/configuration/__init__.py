"""Parameters of a simulated market, and its random numbers."""
