"""Facts and pictures of a simulated market."""
