"""THE PRODUCT without a browser: usable from a notebook."""

__version__ = "0.1.0"
