"""LiveCodeBench: contest problems with functional or stdin/stdout tests."""
