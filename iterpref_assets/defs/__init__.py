"""Dagster glue: read, call the core, publish, report."""
