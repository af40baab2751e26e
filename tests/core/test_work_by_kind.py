"""What the log says about the time left of work of several kinds."""

from __future__ import annotations

import logging

import pytest
from turned_clock import Clock

from iterpref_assets.core import work_by_kind
from iterpref_assets.core.work_by_kind import WorkByKind


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(work_by_kind, "time", clock)
    return clock


@pytest.fixture
def work(clock: Clock) -> WorkByKind:
    return WorkByKind("Grid", {"models": 4, "scores": 3})


def make(work: WorkByKind, clock: Clock, kind: str, *seconds: float) -> None:
    """Items of a kind, one after another."""
    made = work.making(kind, [f"{kind}-{place}" for place in range(len(seconds))])
    for each in seconds:
        clock.now += each
        made(1)


def test_each_kind_is_judged_by_its_own_mean_time(work: WorkByKind, clock: Clock) -> None:
    make(work, clock, "models", 10, 30)
    make(work, clock, "scores", 100)
    assert work.left() == "about 4 min 0 s left"  # 2 x 20 s + 2 x 100 s


def test_a_kind_that_was_not_timed_is_named_and_not_guessed(work: WorkByKind, clock: Clock) -> None:
    make(work, clock, "models", 20)
    assert work.left() == "at least 1 min 0 s left; scores not yet timed"


def test_nothing_is_told_of_the_time_before_anything_was_made(work: WorkByKind) -> None:
    assert work.left() == "models, scores not yet timed"


def test_a_kind_that_is_done_counts_no_more(work: WorkByKind, clock: Clock) -> None:
    make(work, clock, "models", 1, 1, 1, 1)
    make(work, clock, "scores", 20)
    assert work.left() == "about 40 s left"


def test_a_kind_of_which_nothing_is_to_be_made_is_not_named(clock: Clock) -> None:
    work = WorkByKind("Grid", {"models": 2, "samples": 0})
    make(work, clock, "models", 20)
    assert work.left() == "about 20 s left"


def test_items_that_were_there_say_nothing_about_time(work: WorkByKind, clock: Clock) -> None:
    work.find("models", ["a", "b"])
    make(work, clock, "models", 20)
    make(work, clock, "scores", 1)
    assert work.left() == "about 22 s left"


def test_an_item_that_is_found_twice_counts_once(work: WorkByKind) -> None:
    work.find("models", ["a"])
    work.find("models", ["a", "b"])
    assert work.done == 2


def test_an_item_that_is_made_after_all_was_not_there(work: WorkByKind, clock: Clock) -> None:
    work.find("models", ["models-0", "b"])
    make(work, clock, "models", 20)
    assert work.done == 2


def test_time_between_two_kinds_belongs_to_none(work: WorkByKind, clock: Clock) -> None:
    make(work, clock, "models", 1, 1, 1, 1)
    clock.now += 1000
    make(work, clock, "scores", 20)
    assert work.left() == "about 40 s left"


def test_items_made_at_once_take_as_long_each_as_they_took_together(
    work: WorkByKind, clock: Clock
) -> None:
    work.find("scores", ["a", "b", "c"])
    made = work.making("models", ["a", "b"])
    clock.now += 40
    made(2)
    assert work.left() == "about 40 s left"


def test_a_line_tells_what_is_done_and_what_is_left(
    work: WorkByKind, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    make(work, clock, "models", 20)
    (record,) = caplog.records
    assert record.getMessage() == "Grid: 1/7 in 20 s, at least 1 min 0 s left; scores not yet timed"


def test_the_last_line_tells_that_all_is_done(
    work: WorkByKind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    work.find("models", "abcd")
    for _as_known_and_as_needed in range(2):
        work.find("scores", "abc")
    (record,) = caplog.records
    assert record.getMessage() == "Grid: 7/7 in 0.0 s"
