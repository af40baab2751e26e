"""Running untrusted programs: isolation, limits, and verdicts decided outside."""
