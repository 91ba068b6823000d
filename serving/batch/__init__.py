"""Score and select the candidates of a file."""
