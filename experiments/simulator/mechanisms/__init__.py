"""What moves a simulated market: demand, prices, creators, localisation."""
