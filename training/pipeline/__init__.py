"""Run the commands `train` and `run`: from source tables to a published bundle."""
