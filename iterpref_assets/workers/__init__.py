"""Entry points of steps that run in a process or container of their own."""
