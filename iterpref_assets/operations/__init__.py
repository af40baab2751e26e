"""What runs beside the chain: talking to a running deployment, and telling people."""
