"""Iterative debugging: generate, run, show the failure, try again."""
