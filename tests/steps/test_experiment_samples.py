"""Calls shared over problems."""

from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_shard
from iterpref_assets.steps.experiment_samples import calls_by_problem

PROBLEMS = compose_shard(LabConfig(problems_per_shard=7), "lab-000")


def test_the_first_problems_get_one_call_more():
    shares = calls_by_problem(PROBLEMS, 16)
    assert [(count, len(group)) for count, group in shares] == [(3, 2), (2, 5)]


def test_an_even_share_is_one_group():
    assert calls_by_problem(PROBLEMS, 14) == [(2, PROBLEMS)]


@given(st.integers(0, 60))
def test_all_calls_are_used_and_no_more(calls):
    assert sum(count * len(group) for count, group in calls_by_problem(PROBLEMS, calls)) == calls


@given(st.integers(7, 60))
def test_every_problem_is_sampled_once_there_are_calls_enough(calls):
    shares = calls_by_problem(PROBLEMS, calls)
    assert [problem for _, group in shares for problem in group] == PROBLEMS
