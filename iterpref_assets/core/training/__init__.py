"""Focal preference optimisation: losses, recipes, reference log-probabilities, training."""
