"""What runs inside the sandbox to measure tests; its text is sent there."""
