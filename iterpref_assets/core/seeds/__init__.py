"""Seed problems: the sources they come from, what is refused, and what is filtered out."""
