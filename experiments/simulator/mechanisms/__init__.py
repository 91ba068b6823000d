"""Mechanisms of the market: demand, prices, stock, creators, localisation."""
