"""Run one step, or one verification, as Dagster Pipes asks for it, and stream its figures back."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Mapping

from dagster_pipes import PipesContext, open_dagster_pipes
from pydantic import TypeAdapter

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import INTERRUPTED, InputError, SandboxError
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.settings import PREFIX, Environment, Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.steps.verification import EXECUTING
from iterpref_assets.workers.gpus import gpus_of_step
from iterpref_assets.workers.job import (
    EXPLAINED_EXIT_CODE,
    PublishJob,
    VerifyJob,
    WorkerJob,
)
from iterpref_assets.workers.lifeline import end_with


class PipesHandler(logging.Handler):
    """Log lines of the core as log lines of the Dagster run."""

    def __init__(self, pipes: PipesContext) -> None:
        super().__init__(logging.INFO)
        self._pipes = pipes

    def emit(self, record: logging.LogRecord) -> None:
        """Forward one line."""
        self._pipes.log.log(record.levelno, record.getMessage())


CURVES = "iterpref.curves"
"""The log of training's points, one a step: for the run. A shell is shown progress instead."""


def stderr_handler() -> logging.Handler:
    """Log lines of the core for whoever looks on in a shell."""
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: record.name != CURVES)
    handler.setFormatter(logging.Formatter("%(asctime)s    %(message)s", "%H:%M:%S"))
    return handler


def receive(extras: Mapping[str, object]) -> PublishJob | VerifyJob:
    """The job that was sent, with the settings that were sent, whatever this host's variables say.

    Raises:
        ValidationError: where it is no such job.
    """
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    return TypeAdapter[PublishJob | VerifyJob](WorkerJob).validate_python(extras)


def main() -> int:
    """Run the job in the Pipes extras; the exit status says whether a known failure stopped it."""
    # Torch reads it when it is loaded; its remarks on CPU binding are of no use to anybody here.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    with open_dagster_pipes() as pipes:
        job = receive(pipes.extras)
        end_with(job.place.lifeline)
        log = logging.getLogger("iterpref")
        log.setLevel(logging.INFO)
        log.addHandler(PipesHandler(pipes))
        log.addHandler(stderr_handler())
        curves = logging.getLogger(CURVES)

        def report(figures: Mapping[str, float]) -> None:
            curves.info("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))

        context = StepContext(job.settings, ArtifactStore(job.settings.root), report)
        try:
            if isinstance(job, PublishJob):
                step = step_of(job.asset)
                with gpus_of_step(job.settings, step.gpus(job.settings)):
                    _require_gpu(job.settings)
                    _publish(step, job, context)
            else:
                find = EXECUTING[job.verification]
                findings = find(job.settings, context.store, job.partitions)
                pipes.report_custom_message(findings.model_dump(mode="json"))
        except (InputError, SandboxError, TrainingError) as error:
            job.place.answer.write_text(str(error), encoding="utf-8")
            return EXPLAINED_EXIT_CODE
    return 0


def _publish(step: Step, job: PublishJob, context: StepContext) -> None:
    plans = [context.store.pinned(step.plan(context, name)) for name in job.partitions]
    step.publish(context, plans)


def _require_gpu(settings: Settings) -> None:
    if settings.environment is not Environment.GPU:
        return
    import torch

    if not torch.cuda.is_available():
        raise InputError(
            "environment is gpu, but torch finds no GPU",
            field="environment",
            remedy="Install requirements/gpu.lock on a machine with a GPU, or use lab",
        )


if __name__ == "__main__":
    try:
        # Whoever started this blocked it: while modules are imported it would be a stack.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        status = main()
    except KeyboardInterrupt:  # whoever pressed Ctrl-C is told by the run, and asked for no stack
        status = INTERRUPTED
    sys.stdout.flush()
    sys.stderr.flush()
    # Engines leave threads and processes behind that can delay the interpreter's exit by seconds.
    os._exit(status)
