"""Focal preference training: recipes, exact packing, losses, reference model, trainer."""
