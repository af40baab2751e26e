"""Benchmark tasks are trained on only where the override names the source of each."""

import pytest

from iterpref_assets.core.decontamination.refusal import BenchmarkSource, refuse_benchmark_tasks
from iterpref_assets.core.errors import InputError

ALLOWED = (BenchmarkSource.LLMDEBUGGER,)


def test_tasks_of_the_named_source_pass() -> None:
    refuse_benchmark_tasks([("MBPP/1#gpt", "llmdebugger")], ALLOWED, place="here")


def test_problems_that_are_no_benchmarks_need_no_override() -> None:
    refuse_benchmark_tasks([("mine/1", "mine")], (), place="here")


def test_a_task_of_another_source_is_refused_under_the_override() -> None:
    problems = [("MBPP/1", "llmdebugger"), ("MBPP/2", "mine")]
    with pytest.raises(InputError, match="1 benchmark tasks, MBPP/2 of the source 'mine'"):
        refuse_benchmark_tasks(problems, ALLOWED, place="here")


def test_a_task_of_an_unknown_source_is_refused_under_the_override() -> None:
    with pytest.raises(InputError, match="unknown"):
        refuse_benchmark_tasks([("MBPP/1", "")], ALLOWED, place="here")


def test_the_remedy_names_the_override_where_there_is_one_for_the_source() -> None:
    with pytest.raises(InputError) as caught:
        refuse_benchmark_tasks([("x", "llmdebugger")], (), place="here")
    assert "allow_training_on naming llmdebugger" in caught.value.remedy


def test_the_remedy_promises_no_override_where_there_is_none() -> None:
    with pytest.raises(InputError) as caught:
        refuse_benchmark_tasks([("MBPP/1", "mine")], (), place="here")
    assert "tasks of llmdebugger alone" in caught.value.remedy
