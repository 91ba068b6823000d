"""Score candidates: look-up, prediction, evidence, answer."""
