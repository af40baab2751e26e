"""What the comparisons with a benchmark's own harness share: judging here, telling both apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Protocol, TypeVar

from spent import Spent, spent

from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution

_Program = TypeVar("_Program")


class Opening(Protocol):
    """A suite, as far as it is needed here."""

    def open_sandbox(self, workers: int) -> Sandbox:
        """A sandbox for its programs."""
        ...


@dataclass(frozen=True)
class Judged:
    """Verdicts in order, and what they took from the start of the sandbox on."""

    executions: list[Execution]
    spent: Spent

    @property
    def inside(self) -> float:
        """CPU seconds of the programs' own processes."""
        return sum(each.cpu_seconds for each in self.executions)


def judge_here(
    suite: Opening,
    programs: Sequence[_Program],
    judge: Callable[[_Program, Sandbox], Execution],
    workers: int,
) -> Judged:
    """Judge the programs with this project, and print what that took."""
    before = spent()
    with suite.open_sandbox(workers) as sandbox, ThreadPoolExecutor(workers) as pool:
        executions = list(pool.map(judge, programs, repeat(sandbox)))
        judged = Judged(executions, spent() - before)  # while the servers live
    print(
        f"{len(programs)} programs, {workers} workers: {judged.spent} here, "
        f"{judged.inside:.1f} s of the latter in the programs' own processes",
        flush=True,
    )
    return judged


def tell_apart(names: Sequence[str], ours: Judged, passed: Sequence[bool], theirs: Spent) -> None:
    """Print what the other harness took, on which programs the two differ, and how many pass."""
    print(
        f"its own harness: {theirs}; "
        f"{theirs.seconds / ours.spent.seconds:.2f}x by the clock, "
        f"{theirs.cpu_seconds / ours.spent.cpu_seconds:.2f}x in CPU time"
    )
    for name, here, there in zip(names, ours.executions, passed, strict=True):
        if here.passed is not there:
            print(f"  {name}: there {there}, here {here.verdict} {here.message}")
    print(f"{sum(each.passed for each in ours.executions)} pass here, {sum(passed)} there")
