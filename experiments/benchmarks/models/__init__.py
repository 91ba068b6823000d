"""How much of what can be known the models know: measured on markets whose truth is known."""
