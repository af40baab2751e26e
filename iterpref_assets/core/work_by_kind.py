"""Progress of work of several kinds, whose items take very different times."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping

from iterpref_assets.core.progress import SECONDS_BETWEEN_LINES, duration

_log = logging.getLogger("iterpref")


class WorkByKind:
    """Counts items by kind, and tells in a log line how long those that are missing will take.

    A kind's items take its mean time so far: one mean of all kinds would promise minutes as long as
    those that take hours come last.
    """

    def __init__(self, description: str, items: Mapping[str, int]) -> None:
        self._description, self._items = description, dict(items)
        self._found: defaultdict[str, set[str]] = defaultdict(set)
        self._begun: defaultdict[str, set[str]] = defaultdict(set)
        self._made, self._seconds = Counter[str](), defaultdict[str, float](float)
        self._started = self._told = time.monotonic()

    @property
    def total(self) -> int:
        """All items."""
        return sum(self._items.values())

    @property
    def done(self) -> int:
        """The items that are there."""
        return self.total - sum(self._missing().values())

    def find(self, kind: str, names: Collection[str]) -> None:
        """Count items that were made before; each counts once, however often it is found.

        One that has been begun since counts as it is made.
        """
        if new := set(names) - self._found[kind] - self._begun[kind]:
            self._found[kind] |= new
            self._tell()

    def making(self, kind: str, names: Collection[str]) -> Callable[[int], None]:
        """Begin to make items: to be told how many, as often as some have been made."""
        self._found[kind] -= set(names)  # one may have been found that is damaged
        self._begun[kind] |= set(names)
        before = time.monotonic()

        def made(count: int) -> None:
            nonlocal before
            now = time.monotonic()
            self._seconds[kind] += now - before
            self._made[kind] += count
            before = now
            self._tell()

        return made

    def left(self) -> str:
        """How long the missing items will take, and of which kinds that is not known."""
        missing = {kind: count for kind, count in self._missing().items() if count}
        timed = [kind for kind in missing if self._made[kind]]
        seconds = sum(missing[kind] * self._seconds[kind] / self._made[kind] for kind in timed)
        untimed = ", ".join(kind for kind in missing if not self._made[kind])
        told = [f"{'at least' if untimed else 'about'} {duration(seconds)} left"] if timed else []
        return "; ".join([*told, *([f"{untimed} not yet timed"] if untimed else [])])

    def _missing(self) -> dict[str, int]:
        return {
            kind: count - len(self._found[kind]) - self._made[kind]
            for kind, count in self._items.items()
        }

    def _tell(self) -> None:
        now, is_done = time.monotonic(), self.done == self.total
        if now - self._told >= SECONDS_BETWEEN_LINES or is_done:
            self._told = now
            line = f"{self._description}: {self.done:,}/{self.total:,}"
            ending = "" if is_done else f", {self.left()}"
            _log.info("%s", f"{line} in {duration(now - self._started)}{ending}")
