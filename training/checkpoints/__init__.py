"""Finished stages of a training, to go on from after a kill."""
