"""A market whose truth is known: tables of the contract, made by mechanisms that are written down."""
