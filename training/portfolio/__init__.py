"""A declared portfolio of models, and the choice among its members by validation."""
