"""The method in plain Python: nothing below this package imports dagster."""
