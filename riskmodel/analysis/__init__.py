"""Where risk comes from, and how well a model explains it."""
