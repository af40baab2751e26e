"""What the log and the bar say about the time left."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console
from rich.progress import Progress

from iterpref_assets.core import progress
from iterpref_assets.core.progress import Tracker


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().strip() for record in caplog.records]


def test_the_time_left_follows_from_the_items_done_so_far(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tracker = Tracker("Work", 100, None)
    clock.now += 20
    tracker.advance(10)
    assert lines(caplog) == ["Work: 10/100 in 20 s, 180 s left"]


def test_resumed_items_do_not_shorten_the_time_left(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tracker = Tracker("Work", 100, None)
    tracker.resume(90)
    clock.now += 20
    tracker.advance()
    assert lines(caplog) == ["Work: 91/100 in 20 s, 180 s left"]


def test_no_time_left_is_made_up_before_an_item_was_done_here(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tracker = Tracker("Work", 100, None)
    clock.now += 20
    tracker.resume(90)
    assert lines(caplog) == ["Work: 90/100 in 20 s"]


@pytest.mark.usefixtures("clock")
def test_work_that_was_all_done_before_is_reported_as_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    Tracker("Work", 100, None).resume(100)
    assert lines(caplog) == ["Work: 100/100 in 0 s, 0 s left"]


def test_the_bar_does_not_count_resumed_items_as_speed() -> None:
    clock = Clock()
    bar = Progress(console=Console(file=io.StringIO()), get_time=clock.monotonic)
    tracker = Tracker("Work", 100, bar)
    tracker.resume(90)
    clock.now += 2
    tracker.advance()
    assert (bar.tasks[0].completed, bar.tasks[0].time_remaining) == (91, 18)
