"""What stops a training run that started well: what happened and what to do about it."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from functools import partial
from typing import Self


class TrainingError(RuntimeError):
    """A run that stopped; its last good checkpoint is kept and the next run resumes from it."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(f"{problem}. {remedy}")

    def __reduce__(self) -> tuple[partial[Self], tuple[()]]:
        """How another process hands it on."""
        return partial(type(self), self.problem, remedy=self.remedy), ()


@dataclass(frozen=True)
class Remedies:
    """What to do where the disk is full, and where memory ran out."""

    disk: str = "Free space and run again: it resumes from the last checkpoint"
    memory: str = (
        "Lower micro_batch_size or max_tokens, or set gradient_checkpointing, and run again: it "
        "resumes from the last checkpoint. `iterpref train --plan` tells what each needs"
    )


OF_TRAINING = Remedies()


def explain(error: BaseException, remedies: Remedies = OF_TRAINING) -> TrainingError | None:
    """The failure that `error` means, or None where it is none of the known ones."""
    text = str(error)
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    if full or "No space left" in text or "PytorchStreamWriter failed" in text:
        return TrainingError(f"the disk is full: {text}", remedy=remedies.disk)
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate" in text:
        what = text.splitlines()[0] if text else "allocation refused"
        return TrainingError(f"out of memory: {what}", remedy=remedies.memory)
    return None
