"""Compare training values with online values, bit by bit."""
