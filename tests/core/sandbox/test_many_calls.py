"""Runs of more calls than are reported one by one."""

from dataclasses import replace

import pytest
from patient_sandbox import UNREACHED

from iterpref_assets.core.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.sandbox

CALLS = [(number,) for number in range(300)]
SQUARES = [number * number for number in range(300)]


def values(run):
    return [outcome.value() for outcome in run.outcomes]


def test_every_result_arrives_in_the_order_of_the_calls(sandbox: Sandbox) -> None:
    run = sandbox.run_calls("def f(x):\n    return x * x\n", "f", CALLS)
    assert values(run) == SQUARES


def test_large_results_arrive_whole(sandbox: Sandbox) -> None:
    run = sandbox.run_calls("def f(x):\n    return [x] * 50_000\n", "f", CALLS[:100])
    assert [(value[0], len(value)) for value in values(run)] == [(n, 50_000) for n in range(100)]


def test_an_exception_among_many_results_is_the_outcome_of_its_call(sandbox: Sandbox) -> None:
    run = sandbox.run_calls("def f(x):\n    return 1 // (x - 100)\n", "f", CALLS)
    assert [n for n, each in enumerate(run.outcomes) if each.raised] == [100]


def test_a_call_over_its_limit_keeps_the_results_before_it(sandbox: Sandbox) -> None:
    code = "def f(x):\n    while x == 100:\n        pass\n    return x * x\n"
    limits = replace(UNREACHED, call_cpu_seconds=1)
    assert values(sandbox.run_calls(code, "f", CALLS, limits)) == SQUARES[:100]


def test_a_program_that_exits_after_many_results_is_not_taken_for_finished(
    sandbox: Sandbox,
) -> None:
    code = "import os\ndef f(x):\n    if x == 100:\n        os._exit(0)\n    return x * x\n"
    run = sandbox.run_calls(code, "f", CALLS)
    assert values(run) == SQUARES[: len(run.outcomes)]
    assert len(run.outcomes) <= 100
