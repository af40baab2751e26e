"""The Dagster code location: iterpref_assets/defs, and what holds for all of it."""

from pathlib import Path

import click
import dagster as dg

from iterpref_assets.core.errors import InputError


@dg.definitions
def defs() -> dg.Definitions:
    """Assets, checks, jobs and automation; steps that are heavy run in workers of their own."""
    try:
        loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    except InputError as error:
        # Commands of dg and dagster show this as one line; what serves code, as any exception.
        raise click.ClickException(str(error)) from None
    return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
