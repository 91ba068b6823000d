"""How far off rates are while the latest sales have not finished: ours and the naive figure."""
