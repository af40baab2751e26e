"""What stops a training run that started well: what happened and what to do about it."""

from __future__ import annotations

import errno


class TrainingError(RuntimeError):
    """A run that stopped; its last good checkpoint is kept and the next run resumes from it."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(f"{problem}. {remedy}")


def explain(error: BaseException) -> TrainingError | None:
    """The failure that `error` means, or None where it is none of the known ones."""
    text = str(error)
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    if full or "No space left" in text or "PytorchStreamWriter failed" in text:
        return TrainingError(
            f"the disk is full: {text}",
            remedy="Free space and run again: it resumes from the last checkpoint",
        )
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate" in text:
        return TrainingError(
            f"out of memory: {text.splitlines()[0] if text else 'allocation refused'}",
            remedy="Lower micro_batch_size or max_length, or set gradient_checkpointing, and run "
            "again: it resumes from the last checkpoint",
        )
    return None
