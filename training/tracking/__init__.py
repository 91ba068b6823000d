"""Record trainings in MLflow."""
