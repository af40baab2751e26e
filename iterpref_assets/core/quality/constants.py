"""Tests that a program passes which ignores its input and gives one result."""

from __future__ import annotations

from iterpref_assets.core.records import Case, CodeTests, RaisingCase, StdioCase, Tests


def expects_one_result(tests: Tests) -> bool | None:
    """Whether the cases demand the same of all inputs, so that a constant passes.

    A function or a program that is given nothing has one right result: its tests are not blamed.
    Results are compared as they are written.

    Returns:
        None for a test file, whose demands are not data.
    """
    if isinstance(tests, CodeTests):
        return None
    given = {_given(case) for case in tests.cases}
    return given != {""} and len({_demanded(case) for case in tests.cases}) == 1


def _given(case: Case | RaisingCase | StdioCase) -> str:
    if isinstance(case, StdioCase):
        return case.stdin
    return "" if case.arguments.strip() == "()" else case.arguments


def _demanded(case: Case | RaisingCase | StdioCase) -> tuple[str, str]:
    match case:
        case Case():
            return "returns", case.expected
        case RaisingCase():
            return "raises", case.raises
        case StdioCase():
            return "prints", case.stdout
