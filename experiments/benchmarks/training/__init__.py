"""What training costs beside bare LightGBM with the same trees, and on a cluster."""
