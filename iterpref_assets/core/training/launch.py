"""Reference log-probabilities or a training run, by this process or by one for each GPU.

`python -m iterpref_assets.core.training.launch JOB.json` starts as many as the job's config asks
for, through torchrun.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Self

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import held
from iterpref_assets.core.lifetime import end_with_starter
from iterpref_assets.core.progress import naming_subject
from iterpref_assets.core.records import Record
from iterpref_assets.core.training.checks import require_runnable
from iterpref_assets.core.training.config import TrainConfig
from iterpref_assets.core.training.curves import Point
from iterpref_assets.core.training.failures import TrainingError
from iterpref_assets.core.training.processes import processes_of, rank, world_size
from iterpref_assets.core.training.recipes import recipe_named
from iterpref_assets.core.training.trainer import TrainOutcome, train

_log = logging.getLogger("iterpref")
_MODULE = "iterpref_assets.core.training.launch"
_POINT = "point "
_FAILURE = "failure.json"
_OUTCOME = "outcome.json"
_JOB = "job.json"


class ReferenceJob(Record):
    """Compute the reference log-probabilities of `tokens` and write them to `out`."""

    tokens: Path
    model_dir: Path
    config: TrainConfig
    out: Path
    work_dir: Path


class TrainJob(ReferenceJob):
    """Train by a recipe and write the model to the folder `out`."""

    recipe: str
    reference: Path | None


class _Failure(Record):
    """What stopped one of several processes, as it is told to the one that started them."""

    bad_input: bool
    problem: str
    remedy: str
    file: str | None = None
    line: int | None = None
    field: str | None = None

    @classmethod
    def of(cls, error: InputError | TrainingError) -> Self:
        if isinstance(error, TrainingError):
            return cls(bad_input=False, problem=error.problem, remedy=error.remedy)
        return cls(
            bad_input=True,
            problem=error.problem,
            remedy=error.remedy,
            file=None if error.file is None else str(error.file),
            line=error.line,
            field=error.field,
        )

    def error(self) -> InputError | TrainingError:
        if not self.bad_input:
            return TrainingError(self.problem, remedy=self.remedy)
        return InputError(
            self.problem, remedy=self.remedy, file=self.file, line=self.line, field=self.field
        )


def forecast(job: TrainJob) -> None:
    """Log what `job` needs, and refuse what cannot fit.

    Raises:
        InputError: where it holds more than the card of this machine has.
    """
    from iterpref_assets.core.training.cards import card_here
    from iterpref_assets.core.training.plan import plan
    from iterpref_assets.core.training.plan_text import describe, times

    tokenized = tables.read_table(job.tokens, tables.TOKENIZED_PAIRS)
    card = card_here(processes_of(job.config))
    try:
        made = plan(tokenized, job.model_dir, recipe_named(job.recipe), job.config, card)
    except (RuntimeError, TypeError, AttributeError):
        # A run that would work must not stop because its forecast does not.
        _log.warning("what this run needs could not be planned", exc_info=True)
        return
    # Without a card, nobody who waits for this run asks how long others would take.
    for line in [*describe(made), *(times(made) if card.gpu else [])]:
        _log.info("%s: %s", naming_subject(f"plan {job.recipe}"), line)
    made.require_fit()


def compute_reference(job: ReferenceJob) -> None:
    """Do `job`, by as many processes as its config asks for.

    Raises:
        InputError: as require_runnable, before any process starts.
        InputError, TrainingError: as compute_reference_logprobs.
        subprocess.CalledProcessError: where several processes ended otherwise.
    """
    # What could not train is refused here already: scoring all pairs of a 7B model takes hours.
    require_runnable(job.config, processes_of(job.config))
    if _alone(job.config):
        _compute_reference(job)
    else:
        _start(job, lambda _: None)


def train_model(job: TrainJob, on_metrics: Callable[[Point], None]) -> TrainOutcome:
    """Do `job`, by as many processes as its config asks for; raises as compute_reference."""
    require_runnable(job.config, processes_of(job.config))
    if _alone(job.config):
        return _train(job, on_metrics)
    _start(job, on_metrics)
    return TrainOutcome(**json.loads((job.work_dir / _OUTCOME).read_text()))


def _alone(config: TrainConfig) -> bool:
    """Whether this process does its job itself, alone or as one of those that torchrun started."""
    return config.processes == 1 or world_size() > 1


def _compute_reference(job: ReferenceJob) -> None:
    from iterpref_assets.core.training.reference import compute_reference_logprobs

    tokenized = tables.read_table(job.tokens, tables.TOKENIZED_PAIRS)
    logprobs = compute_reference_logprobs(tokenized, job.model_dir, job.config, job.work_dir)
    if rank() == 0:
        tables.write_table(logprobs, tables.REFERENCE_LOGPROBS, job.out)


def _train(job: TrainJob, on_metrics: Callable[[Point], None]) -> TrainOutcome:
    reference = None
    if job.reference is not None:
        reference = tables.read_table(job.reference, tables.REFERENCE_LOGPROBS)
    return train(
        tables.read_table(job.tokens, tables.TOKENIZED_PAIRS),
        reference,
        job.model_dir,
        recipe_named(job.recipe),
        job.config,
        job.out,
        job.work_dir,
        on_metrics,
    )


def _start(job: ReferenceJob, on_point: Callable[[Point], None]) -> None:
    """Let other processes do `job`, and hand on the points that they print.

    The job's files are held here: what another starter wrote there would be taken for this one's.
    """
    file = job.work_dir / _JOB
    with held(file):
        failure = job.work_dir / _FAILURE
        failure.unlink(missing_ok=True)
        file.write_text(job.model_dump_json())
        command = [sys.executable, "-m", _MODULE, str(file)]
        status = _pass_on(command, on_point)
        if failure.is_file():
            raise _Failure.model_validate_json(failure.read_bytes()).error()
    if status:
        raise subprocess.CalledProcessError(status, command)


def _pass_on(command: list[str], on_point: Callable[[Point], None]) -> int:
    """Run `command` and hand on the points that it prints; its exit status."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        try:
            for line in started.stdout or ():
                if line.startswith(_POINT):
                    on_point(json.loads(line.removeprefix(_POINT)))
                else:
                    sys.stderr.write(line)
        except BaseException:
            started.terminate()
            raise
    return started.returncode


def _start_processes(file: Path) -> None:
    """Be torchrun for the job of `file`."""
    from torch.distributed.run import main

    # They end with whoever asked for them: two runs must not share a work folder.
    end_with_starter()
    config = TrainConfig.model_validate(json.loads(file.read_bytes())["config"])
    main(["--standalone", "--nproc-per-node", str(config.processes), "-m", _MODULE, str(file)])


def _be_one(file: Path) -> None:
    """Be one of the processes of the job of `file`."""
    content = file.read_bytes()
    job = (TrainJob if "recipe" in json.loads(content) else ReferenceJob).model_validate_json(
        content
    )
    try:
        if isinstance(job, TrainJob):
            outcome = _train(job, lambda point: print(_POINT + json.dumps(point), flush=True))  # noqa: T201
            if rank() == 0:
                (job.work_dir / _OUTCOME).write_text(json.dumps(asdict(outcome)))
        else:
            _compute_reference(job)
    except (InputError, TrainingError) as error:
        (job.work_dir / _FAILURE).write_text(_Failure.of(error).model_dump_json())
        raise


if __name__ == "__main__":
    (_be_one if "RANK" in os.environ else _start_processes)(Path(sys.argv[1]))
