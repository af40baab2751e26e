"""Tests of a lab problem that are stronger than its own: how many wrong programs pass those?"""

from __future__ import annotations

from iterpref_assets.core.lab.evaluation import load_function
from iterpref_assets.core.lab.inputs import input_pool
from iterpref_assets.core.records import Case, FunctionTests, Problem

EXTRA = 300
"""Of the 1,000 inputs of a walk's pool."""
_WALK = 1
"""Where the features of a problem name its walk (Program.features)."""


def stronger_tests(problem: Problem) -> FunctionTests:
    """The problem's own cases, and its reference solution's answers to EXTRA more inputs.

    Its own are about a dozen, chosen so that every program fails one that differs in a single
    feature.

    Raises:
        ValueError: where it is no problem of the lab's.
    """
    if not isinstance(problem.tests, FunctionTests):
        raise ValueError(f"{problem.problem_id} is no problem of the lab's")  # noqa: TRY004
    function = load_function(problem.reference, problem.entry_point)
    more = (
        Case(arguments=repr(arguments), expected=repr(function(*arguments)))
        for arguments in input_pool(problem.features[_WALK])[:EXTRA]
    )
    cases = tuple(dict.fromkeys((*problem.tests.cases, *more)))
    return FunctionTests(entry_point=problem.entry_point, cases=cases)
