"""What comes of it: orders, returns, reviews."""
