"""The pool of fork servers: how it starts, fails and ends."""

import os
import shutil
import signal
from contextlib import suppress

import pytest

from iterpref_assets.core.errors import SandboxError, SandboxUnavailableError
from iterpref_assets.core.sandbox import servers
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict
from iterpref_assets.core.sandbox.worker import ServerSettings, Worker

from .conftest import SQUARE, SQUARE_TEST_FILE, SQUARES, descendants


def test_a_closed_sandbox_runs_nothing() -> None:
    sandbox = Sandbox(workers=2)
    sandbox.close()
    for _ in range(3):
        with pytest.raises(SandboxError, match="closed"):
            sandbox.judge(SQUARE, SQUARES, Limits())


def test_a_server_that_cannot_be_started_takes_the_others_with_it(monkeypatch) -> None:
    before = descendants(os.getpid())
    started: list[Worker] = []

    def start(settings: ServerSettings) -> Worker:
        if len(started) == 2:
            raise BlockingIOError("no more processes")
        started.append(Worker(settings))
        return started[-1]

    monkeypatch.setattr(servers, "Worker", start)
    with pytest.raises(BlockingIOError):
        Sandbox(workers=3)
    assert descendants(os.getpid()) == before
    assert all(worker.control.fileno() == -1 for worker in started)


def test_servers_load_side_by_side(monkeypatch) -> None:
    seen: list[str] = []

    class Seen(Worker):
        def __init__(self, settings: ServerSettings) -> None:
            seen.append("started")
            super().__init__(settings)

        def await_ready(self) -> None:
            seen.append("awaited")
            super().await_ready()

    monkeypatch.setattr(servers, "Worker", Seen)
    with Sandbox(workers=3):
        assert seen == ["started", "started", "started", "awaited"]


def test_a_sandbox_that_is_not_waited_for_runs_programs() -> None:
    with Sandbox(workers=2, wait=False) as sandbox:
        verdicts = [sandbox.judge(SQUARE, SQUARES, Limits()).verdict for _ in range(3)]
    assert verdicts == [Verdict.PASSED] * 3


def test_a_sandbox_that_is_not_waited_for_leaves_no_server_where_nothing_runs() -> None:
    before = descendants(os.getpid())
    Sandbox(workers=2, wait=False).close()
    assert descendants(os.getpid()) == before


def test_where_none_can_be_had_and_nobody_waits_each_program_says_so(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with Sandbox(workers=2, wait=False) as sandbox:
        for _ in range(2):
            with pytest.raises(SandboxUnavailableError, match="bubblewrap is not installed"):
                sandbox.judge(SQUARE, SQUARES, Limits())


def test_a_server_that_died_is_told_of_and_replaced() -> None:
    before = descendants(os.getpid())
    with Sandbox(workers=2) as sandbox:
        for pid in descendants(os.getpid()) - before:
            with suppress(ProcessLookupError):  # one's death may be another's
                os.kill(pid, signal.SIGKILL)
        with pytest.raises((SandboxError, SandboxUnavailableError)):
            sandbox.judge(SQUARE, SQUARES, Limits())
        assert sandbox.judge(SQUARE, SQUARES, Limits()).verdict is Verdict.PASSED


def test_a_server_runs_calls_and_test_files_in_any_order() -> None:
    kinds = (SQUARES, SQUARE_TEST_FILE, SQUARES, SQUARE_TEST_FILE)
    with Sandbox(workers=1) as sandbox:
        verdicts = [sandbox.judge(SQUARE, tests, Limits()).verdict for tests in kinds]
    assert verdicts == [Verdict.PASSED] * 4
