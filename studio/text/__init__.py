"""What a story's text says: its language, its shots, what each of them shows."""
