"""Prepare training rows: cold-start copies, time splits, samples, model inputs."""
