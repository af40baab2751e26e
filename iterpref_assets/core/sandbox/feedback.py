"""What a failing program is told: one short line that names the call and what came of it.

The same failure always gives the same text, whatever the machine: no paths, addresses or timings.
"""

from __future__ import annotations

import ast
import re

from iterpref_assets.core.records import Case, FunctionTests, RaisingCase, Tests
from iterpref_assets.core.sandbox.outcomes import scrub
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.core.syntax import parse

MAX_LITERAL = 200
"""Characters of any one literal or error message that are shown."""

RETURNED = "  # got "
"""What stands between the assertion that failed and the value that was returned instead."""

_ASKED_OF_PROGRAM = {
    "ImportError": re.compile(r"cannot import name '(\w+)' from 'solution' \(.*\)"),
    "AttributeError": re.compile(r"module 'solution' has no attribute '(\w+)'"),
}
"""What Python says where a test file asks the program for a name; of an error within the program
the runner adds the line to it."""

LIMITS = {
    Verdict.TIMEOUT: "ran out of time",
    Verdict.MEMORY: "ran out of memory",
    Verdict.CRASHED: "ended its process",
}


def wrong_answer(entry_point: str, case: Case | RaisingCase, actual_literal: str) -> str:
    """The assertion that failed and what was returned instead."""
    if isinstance(case, RaisingCase):
        returned = shorten(actual_literal)
        return f"{call(entry_point, case)} returned {returned} instead of raising {case.raises}"
    return f"{assertion(entry_point, case)}{RETURNED}{shorten(actual_literal)}"


def exception(error_type: str, message: str, line: str = "", instead_of: str | None = None) -> str:
    """What was raised, in one line: the class name, the message, and where in the program.

    Args:
        error_type: the exception's class name.
        message: its message.
        line: the program's line that it came from, as `source_line` gives it.
        instead_of: the exception that was wanted, where one was.
    """
    text = shorten(scrub(" ".join(message.split())))
    wanted = f", and not {instead_of}" if instead_of else ""
    place = f", in line {line}" if line else ""
    return f"raised {error_type}{wanted}" + (f": {text}" if text else "") + place


def source_line(code: str, number: int) -> str:
    """A line of the program as it is shown, `2: return x + 1`; empty where it has no such line."""
    text = line_text(code, number)
    return f"{number}: {text}" if text else ""


def line_text(code: str, number: int) -> str:
    """What a line holds, shortened, without its number; empty where there is no such line."""
    # Not splitlines, which ends lines at form feeds and separators where Python does not.
    lines = code.split("\n")
    return shorten(lines[number - 1].strip()) if 0 < number <= len(lines) else ""


def statement_text(code: str, number: int) -> str:
    """The innermost statement of a test file that a line belongs to, in one line, shortened."""
    tree = parse(code)
    spans = [
        node
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.Assert | ast.Expr | ast.Assign | ast.Return)
        and node.lineno <= number <= (node.end_lineno or node.lineno)
    ]
    if not spans:
        return line_text(code, number)
    innermost = max(spans, key=lambda node: node.lineno)
    return shorten(" ".join((ast.get_source_segment(code, innermost) or "").split()))


def limit_hit(entry_point: str, case: Case | RaisingCase, verdict: Verdict) -> str:
    """The call that used more than it may, or took its process down.

    Raises:
        KeyError: for a verdict that is no limit.
    """
    return f"{call(entry_point, case)} {LIMITS[verdict]}"


def no_such_function(entry_point: str) -> str:
    """The program runs, but does not define what the tests call."""
    return f"the program does not define {entry_point}"


def missing_name(error_type: str, message: str) -> str:
    """What a test file wants of the program that it does not define; empty where it is not that.

    Both kinds of tests then tell a model the same, which is what the lab's model is trained on.
    Python's own words would have it look for another module.
    """
    asked = _ASKED_OF_PROGRAM.get(error_type)
    found = asked.fullmatch(message) if asked else None
    return found[1] if found else ""


def assertion(entry_point: str, case: Case) -> str:
    """A test as an assertion, its literals shortened."""
    return f"assert {call(entry_point, case)} == {shorten(case.expected)}"


def call(entry_point: str, case: Case | RaisingCase) -> str:
    """The call of `case` as source; its arguments are the `repr` of a tuple, shortened."""
    arguments = case.arguments.strip().removeprefix("(").removesuffix(")").rstrip(", ")
    return f"{entry_point}({shorten(arguments)})"


def told_case(tests: Tests, message: str) -> Case | RaisingCase | None:
    """The call that a message of this module is about, or None where it names none of `tests`.

    Long arguments are shown shortened, so that several calls may look the same. They are told apart
    by what was expected; None where that looks the same as well.
    """
    if not isinstance(tests, FunctionTests):
        return None
    said = message.removeprefix("assert ")
    name = tests.entry_point
    named = [each for each in tests.cases if said.startswith(f"{call(name, each)} ")]
    demanded = [
        each
        for each in named
        if isinstance(each, Case) and message.startswith(assertion(name, each) + RETURNED)
    ]
    alike = set(demanded or named)
    return alike.pop() if len(alike) == 1 else None


def what_came_back(tests: FunctionTests, case: Case | RaisingCase, message: str) -> str:
    """Of a message about `case`, what the program did: the value it returned, or in words."""
    said = message.removeprefix("assert ").removeprefix(call(tests.entry_point, case)).strip()
    returned = said.rpartition(RETURNED)[2] if RETURNED in said else ""
    return returned or said


def shorten(text: str) -> str:
    """`text` itself, or its two ends where it is longer than MAX_LITERAL characters."""
    if len(text) <= MAX_LITERAL:
        return text
    half = (MAX_LITERAL - len(" ... ")) // 2
    return f"{text[:half]} ... {text[-half:]}"
