"""Apply conformal intervals; training/calibration fits them."""
