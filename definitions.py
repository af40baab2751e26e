"""The Dagster code location: iterpref_assets/defs, and what holds for all of it."""

from pathlib import Path

import click
import dagster as dg

from iterpref_assets.core.errors import InputError
from iterpref_assets.defs.dead_runs import InProcess


def _in_process(context: dg.InitExecutorContext) -> dg.Executor:
    create = dg.in_process_executor.executor_creation_fn
    assert create is not None  # noqa: S101 - the type allows for executors that only have a name
    return InProcess(create(context))


in_process = dg.ExecutorDefinition(
    name="in_process",
    description="Steps in the run's own process, which waits for no dead run of this host.",
    config_schema=dg.in_process_executor.config_schema,  # pyright: ignore[reportArgumentType] - it takes its own kind too
    executor_creation_fn=_in_process,
)


@dg.definitions
def defs() -> dg.Definitions:
    """Assets, checks, jobs and automation; steps that are heavy run in workers of their own."""
    try:
        loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    except InputError as error:
        # Commands of dg and dagster show this as one line; what serves code, as any exception.
        raise click.ClickException(str(error)) from None
    return dg.Definitions.merge(loaded, dg.Definitions(executor=in_process))
