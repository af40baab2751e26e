"""A limit to how long a step may take in the run's own process, whatever it hangs in.

What heavy steps do in workers is ended by `launching.limited`. This is for all else that a step
does: reading files of a disk that is away, asking a hub that does not answer, plotting, checking.
"""

import faulthandler
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import dagster as dg

from iterpref_assets.core.progress import duration

AFTER_WORKERS = 300
"""Seconds beyond the limit of a step's worker, which is to tell of its own end."""
AGAIN = 30
"""Seconds until a step that took the first interruption for something else has another."""
UNTIL_KILLED = 300
"""Seconds from the first interruption on until the process ends that did not heed any."""
_HOUR = 3600
_STDERR = 2
"""Its descriptor, which leads to the run's log whatever Python's own stream is."""


class _StepTooLongError(BaseException):
    """Raised where a step is at work; no `except Exception` there takes it for its own."""


@contextmanager
def ended_in_time(hours: float) -> Generator[None]:
    """Let the block of the main thread take a little longer than a worker may, and no more.

    Where no exception reaches the block (in code that is not Python's) the process ends, and its
    stderr shows where it hung.

    Raises:
        dg.Failure: not to be retried, where the block took longer.
    """
    limit = hours * _HOUR + AFTER_WORKERS
    faulthandler.dump_traceback_later(limit + UNTIL_KILLED, exit=True, file=_STDERR)
    handler = signal.signal(signal.SIGALRM, _interrupt)
    timer = signal.setitimer(signal.ITIMER_REAL, limit, AGAIN)
    try:
        yield
    except _StepTooLongError:
        raise dg.Failure(
            f"the step was ended after {duration(limit)}, the longest that a step may take. "
            "Launch it again, and if it needs longer, raise operations.step_hours",
            allow_retries=False,
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
        faulthandler.cancel_dump_traceback_later()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise _StepTooLongError
