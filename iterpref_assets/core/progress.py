"""Progress of long work: a bar with ETA on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

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

_log = logging.getLogger("iterpref")


class Tracker:
    """Counts finished items of one piece of work."""

    def __init__(self, description: str, total: int, bar: Progress | None) -> None:
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
            f"{name.replace('_', ' ')} {value:,.3g}" for name, value in figures.items()
        )
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=count, figures=text)
            return
        now = time.monotonic()
        if now - self._reported >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self._reported = now
            elapsed = now - self._started
            _log.info(
                "%s: %d/%d in %.0f s%s  %s",
                self.description, self.done, self.total, elapsed, self._left(elapsed), text,
            )  # fmt: skip

    def _left(self, elapsed: float) -> str:
        missing, here = self.total - self.done, self.done - self._resumed
        if missing and not here:
            return ""
        return f", {elapsed / max(here, 1) * missing:.0f} s left"


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
