"""Models and pairs for the Hugging Face hub: their cards, and the upload."""
