"""Verdicts kept by what was run, so that no program runs twice against the same tests."""

from __future__ import annotations

import hashlib
import json
import platform
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from iterpref_assets.core import sandbox
from iterpref_assets.core.journal import Journal, storable
from iterpref_assets.core.reached import ProgramJudging
from iterpref_assets.core.records import Tests
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict

_KIND = "execution"


class ExecutionLog:
    """A judge that runs a program only where the log in `path` has no verdict on it yet.

    A verdict is kept by the program, its tests, the limits, the packages, the version of Python and
    the source of the sandbox itself: where one of these changes, programs run again. What finished
    before a kill stays. A program that the clock ended, before it had used its CPU time, runs again
    in the next process: another load of the machine may give it another verdict. Any number of
    threads may call it at once.

    Raises:
        InputError: where another process holds the log or it is damaged.
    """

    def __init__(
        self, path: Path, judge: ProgramJudging, *, limits: Limits, packages: Sequence[str]
    ) -> None:
        self.executed = 0
        self._judge, self._limits = judge, limits
        self._lock = threading.Lock()
        self._journal = Journal(path, {"log": "executions"})
        self._known = {row["key"]: row for kind, row in self._journal.records() if kind == _KIND}
        self._circumstances = json.dumps(
            [asdict(limits), sorted(packages), platform.python_version(), _source_digest()]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._journal.__exit__(kind, error, trace)

    def __call__(self, code: str, tests: Tests) -> Execution:
        """The verdict on `code` by `tests`, from the log or by running it."""
        key = self._key(code, tests)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            execution = self._judge(code, tests)
            known = {
                "key": key,
                "verdict": execution.verdict.value,
                "error_type": storable(execution.error_type),
                "message": storable(execution.message),
            }
            with self._lock:
                self.executed += 1
                self._known[key] = known
                if not self._ended_by_the_clock(execution):
                    self._journal.append(_KIND, known)
        return Execution(Verdict(known["verdict"]), known["error_type"], known["message"])

    def _ended_by_the_clock(self, execution: Execution) -> bool:
        used_up = execution.cpu_seconds >= self._limits.cpu_seconds
        return execution.verdict is Verdict.TIMEOUT and not used_up

    def _key(self, code: str, tests: Tests) -> str:
        parts = [code, tests.model_dump_json(), self._circumstances]
        digest = hashlib.sha256()
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()


def _source_digest() -> str:
    """Of the code that runs and judges programs."""
    folder = Path(sandbox.__path__[0])
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
