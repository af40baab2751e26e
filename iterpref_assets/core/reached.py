"""Verdicts on programs without what their tests do not reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from iterpref_assets.core.records import Tests
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict
from iterpref_assets.core.unreachable import names_asked_for, reachable_part

ProgramJudging: TypeAlias = Callable[[str, Tests], Execution]
"""Runs a program against tests; it blocks and is called from several threads at once."""

_TOLD_BY_THE_PROGRAM = (Verdict.WRONG_ANSWER, Verdict.EXCEPTION)


def judge_reached(code: str, tests: Tests, judge: ProgramJudging) -> tuple[str, Execution]:
    """What counts of a program, and its verdict.

    Example usage and the program's own asserts are left out: an assert of a model's is no test, and
    would fail right programs. What a statement does is told by reading, which can miss an effect;
    so a program that fails without those lines and passes whole keeps them.

    Args:
        code: the whole program.
        tests: what it is judged by.
        judge: what gives the verdicts; called twice at most.
    """
    part = reachable_part(code, names_asked_for(tests))
    execution = judge(part, tests)
    if part == code or execution.verdict not in _TOLD_BY_THE_PROGRAM:
        return part, execution
    whole = judge(code, tests)
    return (code, whole) if whole.passed else (part, execution)
