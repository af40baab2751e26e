"""Stronger tests of the lab's problems."""

import pytest

from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_heldout
from iterpref_assets.core.lab.stronger import EXTRA, stronger_tests
from iterpref_assets.core.sandbox.sandbox import Sandbox

PROBLEM = compose_heldout(LabConfig(heldout_problems=1))[0]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1) as sandbox:
        yield sandbox


def test_no_input_is_tried_twice_and_there_are_hundreds():
    cases = stronger_tests(PROBLEM).cases
    assert len({case.arguments for case in cases}) == len(cases) >= EXTRA


def test_a_problems_own_cases_come_first():
    own = PROBLEM.tests.cases
    assert stronger_tests(PROBLEM).cases[: len(own)] == own


def test_the_reference_solution_passes(sandbox):
    assert sandbox.judge(PROBLEM.reference, stronger_tests(PROBLEM)).passed


def test_a_program_that_knows_the_problems_own_cases_alone_fails(sandbox):
    known = {case.arguments: case.expected for case in PROBLEM.tests.cases}
    learned = (
        f"KNOWN = {known!r}\n"
        f"def {PROBLEM.entry_point}(*arguments):\n"
        "    return eval(KNOWN.get(repr(arguments), 'None'))\n"
    )
    assert sandbox.judge(learned, PROBLEM.tests).passed
    assert not sandbox.judge(learned, stronger_tests(PROBLEM)).passed
