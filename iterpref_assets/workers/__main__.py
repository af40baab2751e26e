"""Run one step for some partitions, as Dagster Pipes asks for it, and stream its figures back."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Mapping

from dagster_pipes import PipesContext, open_dagster_pipes

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.sandbox.errors import SandboxError
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.step import StepContext
from iterpref_assets.workers.job import EXPLAINED_EXIT_CODE, WorkerJob

_PR_SET_PDEATHSIG = 1


class PipesHandler(logging.Handler):
    """Log lines of the core as log lines of the Dagster run."""

    def __init__(self, pipes: PipesContext) -> None:
        super().__init__(logging.INFO)
        self._pipes = pipes

    def emit(self, record: logging.LogRecord) -> None:
        """Forward one line."""
        self._pipes.log.log(record.levelno, record.getMessage())


def _stderr_handler() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s    %(message)s", "%H:%M:%S"))
    return handler


def _end_with_parent() -> None:
    """Let this process end when the one that started it is killed: it would publish unrecorded."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main() -> int:
    """Run the job in the Pipes extras; the exit status says whether a known failure stopped it."""
    with open_dagster_pipes() as pipes:
        job = WorkerJob.model_validate(pipes.extras)
        log = logging.getLogger("iterpref")
        log.setLevel(logging.INFO)
        log.addHandler(PipesHandler(pipes))
        log.addHandler(_stderr_handler())

        def report(figures: Mapping[str, float]) -> None:
            log.info("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))

        store = ArtifactStore(job.settings.root)
        context = StepContext(job.settings, store, report)
        step = step_of(job.asset)
        try:
            plans = [store.pinned(step.plan(context, name)) for name in job.partitions]
            step.publish(context, plans)
        except (InputError, SandboxError, TrainingError) as error:
            job.answer.write_text(str(error), encoding="utf-8")
            return EXPLAINED_EXIT_CODE
    return 0


if __name__ == "__main__":
    _end_with_parent()
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Engines leave threads and processes behind that can delay the interpreter's exit by seconds.
    os._exit(status)
