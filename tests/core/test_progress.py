"""What the log and the bar say about the time left."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console
from rich.progress import Progress
from turned_clock import Clock

from iterpref_assets.core import progress
from iterpref_assets.core.progress import Tracker, about, duration, figure


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
    assert lines(caplog) == ["Work: 10/100 in 20 s, about 3 min 0 s left"]


def test_resumed_items_do_not_shorten_the_time_left(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tracker = Tracker("Work", 200, None)
    tracker.resume(90)
    clock.now += 20
    tracker.advance(10)
    assert lines(caplog) == ["Work: 100/200 in 20 s, about 3 min 20 s left"]


@pytest.mark.parametrize("done", [0, 1, 9])
def test_no_time_left_is_made_up_before_ten_items_were_done_here(
    done: int, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tracker = Tracker("Work", 200, None)
    tracker.resume(90)
    clock.now += 20
    tracker.advance(done)
    assert lines(caplog) == [f"Work: {90 + done}/200 in 20 s"]


@pytest.mark.parametrize(
    ("done", "shown"), [(9, "loss 2"), (10, "tokens per second 5  solved share 50%  loss 2")]
)
def test_rates_and_shares_are_told_after_ten_items_and_what_is_of_one_at_once(
    done: int, shown: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tracker = Tracker("Work", 200, None)
    clock.now += 20
    tracker.advance(done, tokens_per_second=5.0, solved_share=0.5, loss=2.0)
    (line,) = lines(caplog)
    assert line.endswith(f"  {shown}")


def test_a_line_names_what_is_worked_on(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with about("lab-000"):
        tracker = Tracker("Sampling", 2, None)
    clock.now += 20
    tracker.advance()
    assert lines(caplog) == ["Sampling lab-000: 1/2 in 20 s"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"), (4.21, "4.2 s"), (9.96, "10 s"), (48.4, "48 s"), (59.7, "1 min 0 s"),
        (200, "3 min 20 s"), (3725, "1 h 2 min"),
    ],
)  # fmt: skip
def test_a_duration_has_the_digits_that_a_reader_needs(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("solved_share", 0.3456, "solved share 35%"),
        ("tokens_per_second", 12345.6, "tokens per second 12,346"),
        ("loss", 0.123456, "loss 0.123"),
    ],
)
def test_a_figure_has_the_digits_that_a_reader_needs(name: str, value: float, text: str) -> None:
    assert figure(name, value) == text


@pytest.mark.usefixtures("clock")
def test_work_that_was_all_done_before_is_reported_as_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    Tracker("Work", 100, None).resume(100)
    assert lines(caplog) == ["Work: 100/100 in 0.0 s"]


def test_the_bar_does_not_count_resumed_items_as_speed() -> None:
    clock = Clock()
    bar = Progress(console=Console(file=io.StringIO()), get_time=clock.monotonic)
    tracker = Tracker("Work", 100, bar)
    tracker.resume(90)
    clock.now += 2
    tracker.advance()
    assert (bar.tasks[0].completed, bar.tasks[0].time_remaining) == (91, 18)
