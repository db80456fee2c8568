"""A cache of what providers answered."""
