"""Judge a model on later data, beside baselines."""
