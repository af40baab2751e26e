"""Running untrusted programs: a pool of warm fork servers, each inside namespaces of its own.

What is covered. A program runs as a fresh fork in a PID namespace of its own, in user, mount,
network, IPC and UTS namespaces, without capabilities, with no way to gain any, under a seccomp
filter and limits on CPU time, address space, processes, file size, open files and output. It sees the
Python installation and the packages it was granted, read-only, an empty directory of its own, and no
`/proc`. It is sent its own code and arguments, never an expected value, and what it reports is read
as plain data and judged outside. Nothing it starts outlives it. CPU time decides over time-outs, and is
measured from outside.

What is not. A program may use its CPU and wall-clock limits to the full; children that it detaches
from itself (ignored SIGCHLD) are held by the wall-clock limit alone; the kernel is shared, so a kernel
flaw within the allowed system calls, or what caches and timing give away, is not stopped. Test files that run
beside the candidate can be cheated in ways that docs/SANDBOX.md lists; their verdicts say
`in_process`.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from iterpref_assets.core.records import Tests
from iterpref_assets.core.sandbox.inside import program
from iterpref_assets.core.sandbox.inside.encoding import DIGEST, TREE, VALUE
from iterpref_assets.core.sandbox.judging import judge
from iterpref_assets.core.sandbox.runs import CallOutcome, CallRun, ProgramRun
from iterpref_assets.core.sandbox.seccomp import build_filter
from iterpref_assets.core.sandbox.values import Encoded, MalformedValueError, encode_arguments
from iterpref_assets.core.sandbox.verdicts import Execution, Limits, Verdict
from iterpref_assets.core.sandbox.worker import (
    Running,
    Settings,
    Status,
    Worker,
    WorkerLostError,
)

DEFAULT_PRELOAD = (
    "array", "bisect", "collections", "copy", "datetime", "decimal", "fractions", "functools",
    "hashlib", "heapq", "inspect", "itertools", "json", "math", "operator", "random", "re",
    "statistics", "string", "sys", "textwrap", "time", "typing",
)  # fmt: skip
"""What programs most often import, loaded once instead of once per program."""

StopAfter = Callable[[int, CallOutcome], bool]
"""Told of each outcome as it comes; returning True ends the run."""

_Run = TypeVar("_Run", CallRun, ProgramRun)


class Sandbox:
    """A pool of fork servers. Any number of threads may call its methods at once.

    Args:
        workers: how many programs run at the same time, by default one per CPU.
        preload: modules loaded before programs are forked.
        packages: installed distributions that programs may import, besides the standard library.

    Raises:
        SandboxUnavailableError: where isolation cannot be had, naming what to install.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        preload: Sequence[str] = DEFAULT_PRELOAD,
        packages: Sequence[str] = (),
    ) -> None:
        self._settings = Settings(tuple(preload), tuple(packages), build_filter())
        self._idle: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        self._workers: set[Worker] = set()
        self._lock = threading.Lock()
        self._size = workers or os.cpu_count() or 1
        self._idle.put(self._start())
        for _ in range(self._size - 1):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every server, and every program still running."""
        with self._lock:
            workers, self._workers = self._workers, set()
        for worker in workers:
            worker.close()

    def judge(self, code: str, tests: Tests, limits: Limits | None = None) -> Execution:
        """The verdict on `code`, decided here from what it reports; ends at the first failure."""
        return judge(self, code, tests, limits or Limits())

    def run_calls(
        self,
        code: str,
        entry_point: str,
        arguments: Sequence[tuple[Any, ...]] | bytes,
        limits: Limits | None = None,
        *,
        stop: StopAfter | None = None,
        keep: bool = True,
    ) -> CallRun:
        """Load `code` and call its `entry_point` with each tuple of `arguments` in turn.

        Each call gets its arguments decoded afresh. The limits hold for all calls together.

        Args:
            arguments: plain data, or what `encode_arguments` made of it, to reuse.
            stop: told of each outcome as it comes; the run ends where it returns True.
            keep: whether `CallRun.outcomes` holds the outcomes, beside telling `stop`.
        """
        calls = arguments if isinstance(arguments, bytes) else encode_arguments(arguments)
        request = {"kind": "calls", "entry_point": entry_point}

        def collect(running: Running) -> CallRun:
            run = CallRun()
            finished = _read_calls(running, run, stop, keep)
            _conclude(run, running, finished or run.stopped)
            return run

        return self._run(request, [_source(code), calls], limits or Limits(), collect)

    def run_program(self, code: str, stdin: str, limits: Limits | None = None) -> ProgramRun:
        """Run `code` as a script that reads `stdin`; its stderr is discarded."""

        def collect(running: Running) -> ProgramRun:
            run = ProgramRun()
            for kind, payload in running.frames():
                if kind == program.RAISED and run.raised is None:
                    run.raised = _error(payload)
            run.stdout = bytes(running.output)
            _conclude(run, running, finished=True)
            return run

        files = [_source(code), _source(stdin)]
        return self._run({"kind": "script"}, files, limits or Limits(), collect)

    def _run(
        self,
        request: dict[str, Any],
        files: list[bytes],
        limits: Limits,
        collect: Callable[[Running], _Run],
    ) -> _Run:
        """Run once; once more on a new server if the first was lost."""
        try:
            return self._attempt(request, files, limits, collect)
        except WorkerLostError:
            return self._attempt(request, files, limits, collect)

    def _attempt(
        self,
        request: dict[str, Any],
        files: list[bytes],
        limits: Limits,
        collect: Callable[[Running], _Run],
    ) -> _Run:
        with self._worker() as worker, _memory_files(files) as descriptors:
            stdout = request["kind"] == "script"
            running = worker.start(request, descriptors, limits, stdout=stdout)
            try:
                return collect(running)
            finally:
                running.close()

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        worker = self._idle.get()
        try:
            worker = worker or self._start()
            yield worker
        except BaseException:
            if worker is not None:
                worker.close()
                self._workers.discard(worker)
                worker = None
            raise
        finally:
            self._idle.put(worker)

    def _start(self) -> Worker:
        worker = Worker(self._settings)
        with self._lock:
            self._workers.add(worker)
        return worker


def _read_calls(running: Running, run: CallRun, stop: StopAfter | None, keep: bool) -> bool:
    """Read outcomes until the program ends or `stop` has seen enough; whether it loaded or said why."""
    number = 0
    for kind, payload in running.frames():
        if kind == program.LOADED:
            continue
        if kind == program.NOT_LOADED:
            run.not_loaded = _error(payload)
            return True
        if kind == program.NO_FUNCTION:
            run.no_function = True
            return True
        outcome = _outcome(kind, payload)
        if keep:
            run.outcomes.append(outcome)
        if stop is not None and stop(number, outcome):
            run.stopped = True
            running.stop()
            return True
        number += 1
    return True


def _outcome(kind: bytes, payload: bytes) -> CallOutcome:
    if kind in (VALUE, TREE, DIGEST):
        return CallOutcome(result=Encoded(kind, payload))
    if kind == program.RAISED:
        name, message = _error(payload)
        return CallOutcome(error_type=name, message=message)
    return CallOutcome(refused=True)


def _error(payload: bytes) -> tuple[str, str]:
    try:
        name, message = Encoded(VALUE, payload).decode()
    except (MalformedValueError, TypeError, ValueError):
        return "", ""
    return str(name), str(message)


def _conclude(run: CallRun | ProgramRun, running: Running, finished: bool) -> None:
    """Wait for the program's end, and note the limit it ran into or how its process died."""
    if running.overflowed:
        running.stop()
    status = running.finish()
    run.cpu_seconds = status.cpu_seconds
    stopped = isinstance(run, CallRun) and run.stopped
    run.ending = None if stopped else _ending(status, running.overflowed)


def _ending(status: Status, overflowed: bool) -> Verdict | None:
    if status.killed in ("cpu", "wall") or status.code == -signal.SIGXCPU:
        return Verdict.TIMEOUT
    if status.killed == "memory":
        return Verdict.MEMORY
    if overflowed:
        return Verdict.REFUSED
    return Verdict.CRASHED if status.code != 0 else None


def _source(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@contextmanager
def _memory_files(contents: list[bytes]) -> Iterator[list[int]]:
    """Descriptors of files in memory that a program can read and nobody can change any more."""
    descriptors: list[int] = []
    try:
        for content in contents:
            descriptor = os.memfd_create("program", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            descriptors.append(descriptor)
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
