"""Import Online Retail (doi 10.24432/C5BW33)."""
