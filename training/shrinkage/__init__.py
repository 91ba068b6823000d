"""Learn the parameters of shrinkage from training rows."""
