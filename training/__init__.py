"""How a model is made: labels to bundle."""
