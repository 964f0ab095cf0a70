"""The small embedded text-to-video model `sketch`: its world, its renderer and its training."""
