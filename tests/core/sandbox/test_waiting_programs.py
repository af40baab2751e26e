"""Programs that take their time but come to an end are no sleepers.

The server's clock is turned by hand here, so that nothing depends on how busy the machine is.
"""

import math
import os
import subprocess
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from iterpref_assets.core.sandbox.inside import server
from iterpref_assets.core.sandbox.inside.usage import Use
from iterpref_assets.core.sandbox.inside.watching import Quiet
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict

pytestmark = pytest.mark.sandbox

MEMORY = 1 << 20
NEVER = {"cpu_seconds": 1e9, "wall_seconds": 1e9, "idle_seconds": 1e9, "memory_bytes": MEMORY}


class Watched:
    """A server that watches a program, both played by hand.

    Played are the clock, the program's CPU time, whether it waits, and whether its pipe is full.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.steps = 0.0, 0
        self.cpu: Callable[[float], float] = lambda _now: 0.0
        self.waits: Callable[[float], bool] = lambda _now: True
        self.full: Callable[[float], bool] = lambda _now: False
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        os.set_blocking(self.writing, False)
        poller = SimpleNamespace(register=lambda *_: None, poll=self.turn)
        monkeypatch.setattr(server, "select", SimpleNamespace(poll=lambda: poller, POLLIN=1))
        monkeypatch.setattr(server, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.server: Any = object.__new__(server.Server)
        self.server.control = None
        used = lambda: Use(self.cpu(self.now), 0, self.waits(self.now))  # noqa: E731
        self.server.isolation = SimpleNamespace(processes=SimpleNamespace(used=used))

    def turn(self, milliseconds: float) -> list[Any]:
        """Let the clock go on, and fill or empty the pipe; nothing else happens meanwhile."""
        self.now += milliseconds / 1000
        while not self.full(self.now):
            try:
                os.read(self.reading, 1 << 20)
            except BlockingIOError:
                return []
        while True:
            try:
                os.write(self.writing, bytes(4096))
            except BlockingIOError:
                return []

    def ended(self, **limits: float) -> tuple[str, int]:
        """Which limit ends the program, and after how many seconds."""
        program = subprocess.Popen(["sleep", "infinity"])
        quiet = Quiet([self.writing])
        why = self.server.watch(program.pid, {"run": 1, **NEVER, **limits}, quiet)
        program.wait()
        return why, round(self.now)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    playing = Watched(monkeypatch)
    yield playing
    os.close(playing.reading)
    os.close(playing.writing)


def test_a_program_that_does_nothing_is_ended(watched: Watched) -> None:
    assert watched.ended(idle_seconds=5.05, wall_seconds=300) == ("idle", 5)


def test_a_program_that_wakes_up_now_and_then_is_ended(watched: Watched) -> None:
    watched.cpu = lambda now: 0.01 * math.floor(now)
    # Each of the first six seconds takes 0.2 from the quiet: 6.3 - 1.2 is the first above 5.05.
    assert watched.ended(idle_seconds=5.05, wall_seconds=300) == ("idle", 6)


def test_a_program_that_computes_a_twentieth_of_the_time_is_not_ended(watched: Watched) -> None:
    watched.cpu = lambda now: 0.0501 * math.floor(now)
    assert watched.ended(idle_seconds=5.05, wall_seconds=300.05) == ("wall", 300)


def test_a_program_that_waits_for_a_busy_machine_is_not_ended(watched: Watched) -> None:
    watched.waits = lambda _now: False
    assert watched.ended(idle_seconds=5.05, wall_seconds=300.05) == ("wall", 300)


def test_time_in_which_a_program_waits_for_the_machine_counts_for_nobody(watched: Watched) -> None:
    watched.waits = lambda now: math.floor(now + 0.05) % 2 == 0
    # 9 looks at 0.1 to 0.9, ten each from 2, 4, 6 and 8 on, and two at 10.0 and 10.1.
    assert watched.ended(idle_seconds=5.05, wall_seconds=300) == ("idle", 10)


def test_cpu_time_that_nobody_inherits_takes_nothing_from_the_quiet(watched: Watched) -> None:
    watched.cpu = lambda now: 0.2 if now < 4.05 else 0.0
    # The first look, at 0.1, finds the CPU time and no quiet yet.
    assert watched.ended(idle_seconds=5.05, wall_seconds=300) == ("idle", 5)


def test_a_program_that_computed_once_is_ended_after_that(watched: Watched) -> None:
    watched.cpu = lambda now: 0.02 if now > 10.05 else 0.0
    watched.full = lambda now: now < 10.05
    assert watched.ended(idle_seconds=5.05, wall_seconds=300) == ("idle", 15)


def test_a_program_that_waits_for_its_slow_reader_is_not_ended(watched: Watched) -> None:
    watched.full = lambda now: now < 100.05
    assert watched.ended(idle_seconds=5.05, wall_seconds=300) == ("idle", 105)


def test_time_in_which_a_slow_reader_is_behind_counts_for_nobody(watched: Watched) -> None:
    watched.full = lambda now: now < 100.05
    assert watched.ended(wall_seconds=5.05) == ("wall", 105)


def test_time_between_two_full_pipes_counts(watched: Watched) -> None:
    watched.full = lambda now: math.floor(now + 0.05) % 2 == 0
    assert watched.ended(wall_seconds=5.05) == ("wall", 11)


def test_time_in_which_the_server_stands_still_is_one_second_at_most(watched: Watched) -> None:
    def stand_still_once(now: float) -> float:
        watched.now = max(now, 1000.0)
        return 0.0

    watched.cpu = stand_still_once
    assert watched.ended(wall_seconds=5.05) == ("wall", 1004)


@pytest.mark.parametrize(("kind", "pipes"), [("calls", [2]), ("tests", [2]), ("script", [2, 3])])
def test_the_pipes_that_a_program_reports_to_tell_of_its_reader(
    monkeypatch: pytest.MonkeyPatch, kind: str, pipes: list[int]
) -> None:
    watched: list[list[int]] = []

    def watch(_child: int, _request: dict[str, Any], reports: list[int]) -> str:
        watched.append(reports)
        return ""

    monkeypatch.setattr(server, "Quiet", lambda reports: reports)
    playing: Any = object.__new__(server.Server)
    playing.address_space = 0
    playing.load_test_runner = lambda: None
    playing.watch = watch
    playing.isolation = SimpleNamespace(
        allowance=lambda processes: processes,
        fork=lambda: 1,
        reap=lambda _child: (0, 0.0),
        clean=lambda: None,
    )
    descriptors = [os.open("/dev/null", os.O_RDONLY) for _ in range(4)]
    request = {"run": 1, "kind": kind, "processes": 1, **NEVER}
    assert playing.run(request, list(descriptors))["killed"] == ""
    assert watched == [[descriptors[each] for each in pipes]]


def test_time_in_which_a_program_sleeps_counts_beside_its_reports(sandbox: Sandbox) -> None:
    code = "import time\ndef f():\n    time.sleep(0.3)\n    return 'x' * 4_000_000"
    limits = Limits(cpu_seconds=600, wall_seconds=1, idle_seconds=3600)
    assert sandbox.run_calls(code, "f", [()] * 5000, limits).ending is Verdict.TIMEOUT
