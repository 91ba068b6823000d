"""A market whose truth is known: the contract's tables, made by mechanisms written down here."""
