"""The chain's steps in plain Python: read parents' artifacts, call the core, publish.

Dagster assets, worker processes and tests all run the same steps.
"""
