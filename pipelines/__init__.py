"""PIXELS: a request becomes frames. Knows torch, never imports studio."""
