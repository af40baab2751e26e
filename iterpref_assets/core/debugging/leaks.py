"""Whether a debugging prompt tells more of the tests than the one failure it is about.

What the generator may know of the tests is the problem's statement and, each round, one failing
test. A literal of any other test in what it is shown, or in a program that was written after
feedback, got there some other way. Only literals of some length are told apart: everybody writes
`[0]`. A program can come upon a literal by itself, so a find is a reason to look, not a proof.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from iterpref_assets.core.records import (
    Case,
    CodeTests,
    FunctionTests,
    Problem,
    RaisingCase,
    StdioTests,
    Tests,
)
from iterpref_assets.core.sandbox.feedback import RETURNED, shorten, told_case
from iterpref_assets.core.syntax import parse

SHORTEST = 8
"""Characters that a literal has at least to be one test's own."""

_LITERALS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set)


@dataclass(frozen=True, slots=True)
class Leak:
    """A test's literal that the conversation before version `round` holds and may not."""

    round: int
    literal: str


def leaks(
    problem: Problem, statement: str, by_test: list[set[str]], versions: pl.DataFrame
) -> Iterator[Leak]:
    """What the debugging prompts of one trajectory tell of the tests beyond its feedback.

    Args:
        problem: whose trajectory it is.
        statement: the problem as it was shown, with the example where one was chosen of its tests.
        by_test: `literals_by_test` of its tests.
        versions: the trajectory's rows of tables.VERSIONS, in order of rounds.
    """
    known = statement
    rows = list(versions.select("round", "code", "feedback").iter_rows())
    for index, (round_, code, feedback) in enumerate(rows[:-1]):
        own = [test - _inside(test, known) for test in by_test]
        if index > 0:
            written = {literal for test in own for literal in _inside(test, code)}
            yield from (Leak(round_ + 1, literal) for literal in sorted(written))
        # What the program returned is its own doing, whichever test expects it.
        told = (feedback or "").split(RETURNED)[0]
        shown = [_inside(test, told) - _inside(test, code) for test in own]
        most = max(shown, key=len, default=set[str]())
        beyond = {literal for test in shown for literal in test} - most
        yield from (Leak(round_ + 1, literal) for literal in sorted(beyond))
        known = f"{known}\n{code}\n{feedback or ''}\n{_told(problem.tests, feedback or '')}"


def _told(tests: Tests, feedback: str) -> str:
    """The whole test that feedback is about: a debugging turn says what was expected too."""
    case = told_case(tests, feedback)
    expected = case.expected if isinstance(case, Case) else ""
    return f"{case.arguments} {expected}" if case else ""


def literals_by_test(tests: Tests) -> list[set[str]]:
    """The literals of each test that are long enough to be told apart, as feedback shows them."""
    match tests:
        case FunctionTests(cases=cases):
            found = [_of_case(case) for case in cases]
        case StdioTests(cases=cases):
            found = [{*case.stdin.splitlines(), *case.stdout.splitlines()} for case in cases]
        case CodeTests(code=code):
            found = _of_code(code)
    return [{shorten(text) for text in test if len(text) >= SHORTEST} for test in found]


def _inside(literals: set[str], text: str) -> set[str]:
    return {literal for literal in literals if literal in text}


def _of_case(case: Case | RaisingCase) -> set[str]:
    texts = {case.arguments.strip().removeprefix("(").removesuffix(")").rstrip(", ")}
    if isinstance(case, Case):
        texts.add(case.expected)
    tree = parse(case.arguments)
    match tree and tree.body:
        case [ast.Expr(value=ast.Tuple(elts=arguments))]:
            texts.update(ast.unparse(argument) for argument in arguments)
        case _:
            pass
    return texts


def _of_code(code: str) -> list[set[str]]:
    """Each assertion is a test; what is set up outside them belongs to all."""
    tree = parse(code)
    if tree is None:
        return []
    assertions: list[set[str]] = []
    common: set[str] = set()
    for node in ast.walk(tree):
        if _asserts(node):
            assertions.append(_literals_below(node))
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr | ast.Return):
            common |= _literals_below(node)
    return [assertion | common for assertion in assertions]


def _asserts(node: ast.AST) -> bool:
    match node:
        case ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))):
            return name.startswith("assert")
        case _:
            return False


def _literals_below(node: ast.AST) -> set[str]:
    return {ast.unparse(each) for each in ast.walk(node) if isinstance(each, _LITERALS)}
