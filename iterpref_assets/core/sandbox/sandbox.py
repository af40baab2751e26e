"""Running untrusted programs: a pool of warm fork servers, each inside namespaces of its own.

What is covered. A program runs as a fresh fork in a PID namespace of its own, in user, mount,
network, IPC and UTS namespaces, without capabilities, with no way to gain any, under a seccomp
filter and limits on CPU time, address space, processes, file size, open files and output. It sees
the Python installation and what it was granted, read-only, empty directories of its own (the one it
runs in, `/tmp` and `/dev/shm`), and no `/proc`. It is sent its own code and arguments, never an
expected value, and what it reports is read as plain data and judged outside. Nothing it starts
outlives it. CPU time decides over time-outs, and is measured from outside; what only waits (asleep,
or in a deadlock) is ended too.

What is not. A program may use its limits to the full; children that it detaches from itself
(ignored SIGCHLD) are held by the wall-clock limit alone; the kernel is shared, so a flaw within
the allowed system calls, or what caches and timing give away, is not stopped. Test files that run
beside the candidate can be cheated in ways that docs/SANDBOX.md lists; their verdicts say
`in_process`.
"""

from __future__ import annotations

import marshal
import os
import queue
import secrets
import threading
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from iterpref_assets.core.errors import SandboxError
from iterpref_assets.core.records import CodeTests, Tests
from iterpref_assets.core.sandbox.code_tests import PlannedTests, ProxiedTests
from iterpref_assets.core.sandbox.inside import program
from iterpref_assets.core.sandbox.judging import judge
from iterpref_assets.core.sandbox.launch import Granted, importable_files
from iterpref_assets.core.sandbox.outcomes import CallRun, ProgramRun, StopAfter, TestRun
from iterpref_assets.core.sandbox.reports import (
    MAX_STRAY,
    STRAY,
    read_calls,
    read_check,
    read_ending,
    read_error,
    read_test_outcome,
)
from iterpref_assets.core.sandbox.servers import start_servers
from iterpref_assets.core.sandbox.values import (
    count_calls,
    encode_arguments,
)
from iterpref_assets.core.sandbox.verdicts import Execution, Limits
from iterpref_assets.core.sandbox.worker import Running, Worker

DEFAULT_PRELOAD = (
    "array", "bisect", "collections", "copy", "datetime", "decimal", "fractions", "functools",
    "hashlib", "heapq", "inspect", "itertools", "json", "math", "operator", "random", "re",
    "statistics", "string", "sys", "textwrap", "time", "typing",
)  # fmt: skip
"""What programs most often import, loaded once instead of once per program."""


class Sandbox:
    """A pool of fork servers. Any number of threads may call its methods at once.

    Args:
        workers: how many programs run at the same time, by default one per CPU.
        preload: modules loaded before programs are forked.
        opening: a text of this project, never a program's, that many of them begin with where calls
            are made. It runs once in each server, and a program that begins with it goes on there,
            so that it must leave nothing but names.
        packages: installed distributions that programs may import, besides the standard library.
        libraries: a folder of more that they may import, such as `pip install --target` fills.
        commands: whether they may start the system's commands, such as `sh` and `tar`.
        hash_seed: what orders programs' sets of strings.
        wait: whether to return only once programs can run. Otherwise servers start while the caller
            goes on, and where isolation cannot be had, every program raises that.

    Raises:
        InputError: where a package is not installed or there is no such folder.
        SandboxUnavailableError: where isolation cannot be had, naming what to install.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        preload: Sequence[str] = DEFAULT_PRELOAD,
        opening: str = "",
        packages: Sequence[str] = (),
        libraries: Path | None = None,
        commands: bool = False,
        hash_seed: int = 0,
        wait: bool = True,
    ) -> None:
        granted = Granted(importable_files(packages, libraries), commands, hash_seed)
        self._prefix = opening
        self._idle: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        self._workers: set[Worker] = set()
        self._lock = threading.Lock()
        self._closed = False
        opener = ThreadPoolExecutor(1)
        self._opening = opener.submit(
            self._open, (tuple(preload), opening, granted), workers or os.cpu_count() or 1
        )
        opener.shutdown(wait=False)
        if wait:
            try:
                self._opening.result()
            except BaseException:
                self.close()
                raise

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
        self._opening.exception()
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, set()
        for worker in workers:
            worker.close()

    def judge(
        self, code: str, tests: Tests | ProxiedTests, limits: Limits | None = None
    ) -> Execution:
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
        one_by_one: bool = False,
    ) -> CallRun:
        """Load `code` and call its `entry_point` with each tuple of `arguments` in turn.

        Each call gets its arguments decoded afresh.

        Args:
            code: the program.
            entry_point: the name of the function to call.
            limits: what loading and all calls together may use.
            arguments: plain data, or what `encode_arguments` made of it, to reuse.
            stop: told of each outcome as it comes; the run ends where it returns True.
            keep: whether `CallRun.outcomes` holds the outcomes, beside telling `stop`.
            one_by_one: whether each outcome is sent before the next call begins, so that none is
                lost where the program is killed. Otherwise those after the first 16 may be.
        """
        calls = arguments if isinstance(arguments, bytes) else encode_arguments(arguments)
        run = CallRun()
        opened, source = _behind(self._prefix, code)
        request = {
            "kind": "calls",
            "entry_point": entry_point,
            "one_by_one": one_by_one,
            "opened": opened,
        }
        with self._running(request, [_source(source), calls], limits) as running:
            run.ending = read_calls(running, run, count_calls(calls), stop, keep)
            status = running.finish()
        run.cpu_seconds, run.refusal = status.cpu_seconds, running.refusal
        if not run.stopped:
            run.ending = run.ending or read_ending(status, running.refusal)
        return run

    def run_program(self, code: str, stdin: str, limits: Limits | None = None) -> ProgramRun:
        """Run `code` as a script that reads `stdin`; its stderr is discarded."""
        run = ProgramRun()
        files = [_source(code), _source(stdin)]
        with self._running({"kind": "script"}, files, limits) as running:
            for number, (kind, payload) in enumerate(running.frames()):
                if number > MAX_STRAY:
                    running.refuse(STRAY)
                    break
                if kind == program.RAISED and run.raised is None:
                    run.raised = read_error(payload)
            status = running.finish()
        run.stdout, run.cpu_seconds = bytes(running.output), status.cpu_seconds
        run.refusal = running.refusal
        run.ending = read_ending(status, running.refusal)
        return run

    def run_tests(
        self,
        code: str,
        tests: CodeTests | ProxiedTests,
        plan: PlannedTests,
        limits: Limits | None = None,
    ) -> TestRun:
        """Run the test file beside the candidate, or in a process apart from it if proxied.

        An outcome counts only if it bears the nonce.
        """
        run = TestRun()
        stray = 0
        places = (*plan.names, "")
        nonce = secrets.token_bytes(program.NONCE_BYTES)
        request, data = _test_request(tests, plan)
        files = [_source(code), marshal.dumps(data)]
        with self._running(request, files, limits, nonce) as running:
            for kind, payload in running.frames():
                told = read_check(kind, payload, len(plan.names), plan.checks)
                if told is not None and (ran := (places[told[0]], told[1])) not in run.checks:
                    run.checks.add(ran)
                    continue
                if stray > MAX_STRAY:
                    running.refuse(STRAY)
                    break
                stray += 1
                if kind == program.OUTCOME:
                    run.outcome = run.outcome or read_test_outcome(payload, nonce)
            status = running.finish()
        run.cpu_seconds, run.refusal = status.cpu_seconds, running.refusal
        run.ending = read_ending(status, running.refusal)
        return run

    @contextmanager
    def _running(
        self, request: dict[str, Any], files: list[bytes], limits: Limits | None, nonce: bytes = b""
    ) -> Generator[Running]:
        """A program under way on a server of its own for as long as the block lasts."""
        with self._worker() as worker, _memory_files(files) as descriptors:
            running = worker.start(
                request,
                descriptors,
                limits or Limits(),
                stdout=request["kind"] == "script",
                nonce=nonce,
            )
            try:
                yield running
            finally:
                running.close()

    @contextmanager
    def _worker(self) -> Generator[Worker]:
        self._opening.result()
        worker = self._idle.get()
        try:
            if worker is None or worker not in self._workers:
                worker = self._start()
            worker.await_ready()
            yield worker
        except BaseException:
            lost, worker = worker, None
            if lost is not None:
                with self._lock:
                    self._workers.discard(lost)
                lost.close()
            raise
        finally:
            self._idle.put(worker)

    def _open(self, loaded: tuple[tuple[str, ...], str, Granted], workers: int) -> None:
        self._settings, servers = start_servers(*loaded, workers)
        self._workers |= set(servers)
        for server in reversed(servers):  # the first, which is ready, is taken first
            self._idle.put(server)

    def _start(self) -> Worker:
        with self._lock:
            if self._closed:
                raise SandboxError("the sandbox is closed")
            worker = Worker(self._settings)
            self._workers.add(worker)
        return worker


def _test_request(
    tests: CodeTests | ProxiedTests, plan: PlannedTests
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the server is asked, and what the tests' process is given."""
    data = {"code": tests.code, "unittest": plan.unittest, "names": list(plan.names)}
    if isinstance(tests, CodeTests):
        return {"kind": "tests"}, {
            **data,
            "module": tests.module,
            "shared": tests.shared_namespace,
        }
    return {"kind": "proxied", "entry_point": tests.entry_point}, {
        **data,
        "module": "solution",
        "shared": True,
        "prelude": tests.prelude,
        "entry_point": tests.entry_point,
    }


def _behind(opening: str, code: str) -> tuple[bool, str]:
    """Whether `code` begins with `opening`, and what is left of it, on the lines that it has."""
    if not opening or not code.startswith(opening):
        return False, code
    return True, "\n" * opening.count("\n") + code[len(opening) :]


def _source(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@contextmanager
def _memory_files(contents: list[bytes]) -> Generator[list[int]]:
    """Descriptors of files in memory that a program can read."""
    descriptors: list[int] = []
    try:
        for content in contents:
            descriptor = os.memfd_create("program", os.MFD_CLOEXEC)
            descriptors.append(descriptor)
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(content)
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def judge_all(
    sandbox: Sandbox, work: Iterable[tuple[str, Tests]], limits: Limits
) -> list[Execution]:
    """The verdict on each program by its tests, in order.

    Raises:
        InputError: if tests are unusable.
    """

    def verdict(item: tuple[str, Tests]) -> Execution:
        return sandbox.judge(item[0], item[1], limits)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(verdict, work))
