"""Progress of long work: a bar with ETA on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 10.0
ESTIMATED_AFTER = 10
"""Items that this process must have done before it says how fast it is, and how long the others
will take."""
_OF_MANY = ("per_second", "share")
"""How the names of figures end that are about all items so far, and not about the last one."""
MINUTE = 60

_log = logging.getLogger("iterpref")
_subject: ContextVar[str] = ContextVar("subject", default="")


@contextmanager
def about(subject: str) -> Generator[None]:
    """Name what is worked on (a shard, a base model) in every line of progress in the block."""
    token = _subject.set(subject)
    try:
        yield
    finally:
        _subject.reset(token)


def naming_subject(text: str) -> str:
    """The text, and behind it what is worked on."""
    return f"{text} {_subject.get()}".rstrip()


def without_bars_of_transformers() -> None:
    """Load weights without a bar where nobody sees one: in a log it is a line of another form."""
    from transformers.utils import logging as logging_of_transformers

    if not sys.stderr.isatty():
        logging_of_transformers.disable_progress_bar()


def duration(seconds: float) -> str:
    """A length of time in as many digits as a reader needs: `4.2 s`, `48 s`, `3 min 20 s`."""
    if round(seconds, 1) < 10:  # noqa: PLR2004 - two digits
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def figure(name: str, value: float) -> str:
    """A rate or share beside its name; a name that ends in `share` is given in per cent."""
    if name.endswith("share"):
        number = f"{value:.0%}"
    else:
        number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
    return f"{name.replace('_', ' ')} {number}"


class Tracker:
    """Counts finished items of one piece of work."""

    def __init__(self, description: str, total: int, bar: Progress | None) -> None:
        description = naming_subject(description)
        self.description, self.total, self.done = description, total, 0
        self._resumed = 0
        self._bar = bar
        self._task = bar.add_task(description, total=total, figures="") if bar else None
        self._started = self._reported = time.monotonic()

    def resume(self, count: int) -> None:
        """Count items that an earlier process finished, before any of this one.

        They say nothing about how long the others take. The bar needs no telling: it measures
        speed from its first update on, and this is the first.
        """
        self._resumed += count
        self.advance(count)

    def advance(self, count: int = 1, **figures: float) -> None:
        """Count `count` more items as done; `figures` (rates, shares) are shown beside them."""
        self.done += count
        text = "  ".join(
            figure(name, value)
            for name, value in figures.items()
            if self._means_something() or not name.endswith(_OF_MANY)
        )
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=count, figures=text)
            return
        now = time.monotonic()
        if now - self._reported >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self._reported = now
            elapsed = now - self._started
            line = f"{self.description}: {self.done:,}/{self.total:,} in {duration(elapsed)}"
            _log.info("%s", f"{line}{self._left(elapsed)}  {text}".rstrip())

    def _left(self, elapsed: float) -> str:
        missing, here = self.total - self.done, self.done - self._resumed
        if not missing or not self._means_something():
            return ""
        return f", about {duration(elapsed / here * missing)} left"

    def _means_something(self) -> bool:
        """Whether so much was done here that rates, shares and estimates say something.

        The first item's time is that of an engine's start.
        """
        return self.done == self.total or self.done - self._resumed >= ESTIMATED_AFTER


@contextmanager
def track(description: str, total: int) -> Generator[Tracker]:
    """A tracker for `total` items, shown while the block runs."""
    if not sys.stderr.isatty():
        yield Tracker(description, total, None)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[figures]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield Tracker(description, total, bar)
