"""Training rows: masking, time splits, weights, model inputs."""
