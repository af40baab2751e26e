"""Results far longer than what is expected are judged without being read where that can be."""

from datetime import date

import polars as pl
import pytest

from iterpref_assets.core.evaluation.evalplus.data import (
    EvalPlusBenchmark,
    EvalPlusData,
    EvalPlusProblem,
)
from iterpref_assets.core.evaluation.evalplus.expected import BASE, PLUS, Expected
from iterpref_assets.core.evaluation.evalplus.tasks import evalplus_tasks
from iterpref_assets.core.evaluation.livecodebench.data import (
    LiveCodeBenchCase,
    LiveCodeBenchProblem,
)
from iterpref_assets.core.evaluation.livecodebench.tasks import LiveCodeBenchTask
from iterpref_assets.core.sandbox.inside.encoding import VALUE
from iterpref_assets.core.sandbox.outcomes import CallOutcome, CallRun
from iterpref_assets.core.sandbox.values import Encoded, encode_value

ROOM = 1 << 24


class Unreadable(Encoded):
    def decode(self):
        raise AssertionError("was read")


class Answers:
    """A runner of a program that returns one and the same result."""

    def __init__(self, result):
        self.result = result

    def run_calls(self, code, entry_point, arguments, limits, *, stop, keep, one_by_one=False):
        run = CallRun()
        run.stopped = stop(0, CallOutcome(result=self.result))
        return run


LONG = Answers(Unreadable(VALUE, b"x" * ROOM))


def judge_plus(answers, entry_point, expected, arguments, benchmark=EvalPlusBenchmark.MBPP):
    problem = EvalPlusProblem("T/1", "", entry_point, "", [arguments], [], 0)
    encoded = encode_value(expected, ROOM)
    outputs = Expected(encoded.kind, pl.Series([encoded.payload]), 0.0, 0.0)
    data = EvalPlusData(benchmark, {"T/1": problem}, "", "")
    (task,) = evalplus_tasks(data, {("T/1", BASE): outputs, ("T/1", PLUS): outputs}, base_only=True)
    return task.judge("", answers).base.passed


def test_a_long_result_of_a_function_is_wrong_unread():
    assert not judge_plus(LONG, "f", 7, [1])


def test_a_long_result_of_a_set_task_is_wrong_unread():
    assert not judge_plus(LONG, "similar_elements", (4, 5), [(3, 4, 5), (4, 5)])


def test_a_long_result_is_right_where_evalplus_takes_anything():
    assert judge_plus(LONG, "are_equivalent", True, [1])


@pytest.mark.parametrize("reference", ["match", None])
def test_a_long_result_is_a_value_where_evalplus_asks_only_for_one(reference):
    assert judge_plus(LONG, "check_str", reference, ["text"]) is (reference is not None)


def test_the_names_of_mbpp_mean_nothing_in_humaneval():
    assert not judge_plus(LONG, "are_equivalent", True, [1], EvalPlusBenchmark.HUMANEVAL)


def test_a_set_may_come_as_a_list_of_every_pair_of_equal_members():
    numbers = list(range(40)) * 40
    pairs = [x for x in numbers for y in numbers if x == y]
    result = encode_value(pairs, ROOM)
    assert not result.could_equal(encode_value(list(range(40)), ROOM))
    assert judge_plus(Answers(result), "similar_elements", list(range(40)), [numbers, numbers])


def contest(output):
    case = LiveCodeBenchCase.model_validate(
        {"input": "1", "output": output, "testtype": "functional"}
    )
    problem = LiveCodeBenchProblem("T/1", "", "", (case,), "f", date(2024, 1, 1), None)
    return lambda answers: LiveCodeBenchTask(problem).judge("", answers).base.passed


def test_a_long_result_of_a_contests_method_is_wrong_unread():
    assert not contest("7")(LONG)


def test_a_contests_result_as_long_as_the_expected_is_read():
    assert contest("[1, 2]")(Answers(encode_value((1, 2), ROOM)))
