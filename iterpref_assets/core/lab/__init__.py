"""The lab: composed problems and a small base model trained from scratch on them."""
