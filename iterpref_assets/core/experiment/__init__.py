"""The paper's claims put to a test: a grid of trained models, and what its scores say."""
