"""Focal preference learning for code LLMs from iterative debugging, as Dagster assets."""
