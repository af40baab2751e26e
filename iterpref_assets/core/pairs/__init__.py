"""CodeFlow pairs: from trajectories to preference pairs and their focal tokens."""
