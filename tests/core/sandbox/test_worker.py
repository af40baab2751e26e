"""One fork server as seen from outside: how runs end, and how it is let go of."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict
from iterpref_assets.core.sandbox.worker import Running, WorkerLostError

from .conftest import SQUARE, SQUARES

FRAME = b"V\x01\0\0\0x"
STATUS = json.dumps({"code": 0, "cpu": 0.0, "killed": ""}).encode()


@pytest.fixture
def server() -> Iterator[Any]:
    """A server played by hand: the run it has under way, and what it writes to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    results, results_in = os.pipe()
    worker: Any = SimpleNamespace(control=ours, serial=1, complained=lambda: 0)
    running = Running(worker, results, -1, Limits())
    with ours, theirs:
        yield SimpleNamespace(running=running, control=theirs, results=results_in)
    running.close()
    os.close(results_in)


def test_a_run_ends_with_its_status_though_something_holds_its_pipe_open(server: Any) -> None:
    os.write(server.results, FRAME * 3)
    server.control.send(STATUS)
    assert list(server.running.frames()) == [(b"V", b"x")] * 3
    assert server.running.finish().code == 0


def test_a_server_that_dies_ends_the_run_though_something_holds_its_pipe_open(server: Any) -> None:
    server.running.worker.lost = lambda: WorkerLostError("died")
    server.control.close()
    assert list(server.running.frames()) == []
    with pytest.raises(WorkerLostError, match="died"):
        server.running.finish()


def test_a_server_that_stays_silent_is_given_up_after_its_limit_and_grace(server: Any) -> None:
    waited: list[int] = []
    silent: Any = SimpleNamespace(poll=waited.append)
    with pytest.raises(WorkerLostError, match="silent"):
        server.running._await(silent)
    assert sum(waited) == 1000 * (server.running.limits.wall_seconds + 30)


def test_a_server_is_let_go_of_however_deep_its_folder_is() -> None:
    with Sandbox(workers=1) as sandbox:
        (worker,) = sandbox._workers
        folder = worker.folder.path
        make_deep(folder)
    assert not folder.exists()


def test_a_server_that_cannot_be_closed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RecursionError

    with Sandbox(workers=1) as sandbox:
        (worker,) = sandbox._workers
        with monkeypatch.context() as patch:
            patch.setattr(worker, "start", fail)
            patch.setattr(worker, "close", fail)
            with pytest.raises(RecursionError):
                sandbox.judge(SQUARE, SQUARES, Limits())
        assert worker not in sandbox._workers
        assert sandbox.judge(SQUARE, SQUARES, Limits()).verdict is Verdict.PASSED
        worker.close()


def make_deep(folder: Path) -> None:
    """Nest folders deeper than Python can recurse."""
    here = os.getcwd()  # noqa: PTH109
    os.chdir(folder)
    try:
        for _ in range(1500):
            os.mkdir("deep")  # noqa: PTH102
            os.chdir("deep")
    finally:
        os.chdir(here)
