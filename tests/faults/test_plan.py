"""What the short form leaves to the long one: more of the same, and no kind of it."""

from collections import Counter

from faults.plan import KILLING, STAGES, Fault, Form, planned, short


def test_the_short_form_breaks_every_stage_once() -> None:
    assert [each.asset for each in short()] == [stage.asset for stage in STAGES]


def test_the_short_form_breaks_in_every_way() -> None:
    assert {each.fault for each in short()} == set(Fault)


def test_a_stage_without_a_worker_has_none_killed() -> None:
    killed = [each for each in short() if each.fault is Fault.KILL_WORKER]
    assert all(each.stage.in_worker for each in killed)


def test_a_stage_of_one_partition_has_no_range() -> None:
    ranges = [each for each in short() if each.form is Form.RANGE]
    assert all(len(each.stage.partitions) > 1 for each in ranges)


def test_each_kill_of_a_stage_and_form_is_planned_as_often_as_asked() -> None:
    kills = [each for each in planned(1, 1, 10) if each.fault in KILLING]
    # 14 runs and 7 workers as one partition; all but 3 of those runs, and all workers, as a range.
    assert set(Counter((each.asset, each.form, each.fault) for each in kills).values()) == {10}
    assert len(kills) == 10 * (14 + 7 + 11 + 7)
