"""Keeping benchmark tasks out of training: what benchmarks hold, and what shares it."""
