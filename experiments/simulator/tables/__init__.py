"""Write a simulated market as source tables, clean or dirty."""
