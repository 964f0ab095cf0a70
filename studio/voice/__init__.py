"""Narration: a text becomes speech, offline in Chinese and English, or by a speech service."""
