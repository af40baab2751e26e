"""CodeFlow: from debugging trajectories to preference pairs with focal token masks."""
