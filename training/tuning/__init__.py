"""Search for better settings of the boosters."""
