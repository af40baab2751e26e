"""Whether one call's output is right, by the rules of evalplus 0.3.1, on plain values.

evalplus states these rules only inside the function that runs the untrusted code
(`evalplus.eval.unsafe_execute`), so their order is followed here step by step; the oracles, task
lists and float test are its own. Two things differ, both faults there (docs/EVALUATION.md):
HumanEval/32 counts its passing calls, and oracles see the inputs as they were before the call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from evalplus.eval import is_floats
from evalplus.eval._special_oracle import (
    MBPP_OUTPUT_NOT_NONE_TASKS,
    MBPP_OUTPUT_SET_EQ_TASKS,
    _digit_distance_nums,  # pyright: ignore[reportPrivateUsage]
    _poly,  # pyright: ignore[reportPrivateUsage]
    _surface_Area,  # pyright: ignore[reportPrivateUsage]
)

from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark

RTOL = 1e-07
ENFORCED_ATOL = 1e-6
FIND_ZERO = "find_zero"


@dataclass(frozen=True, slots=True)
class Oracle:
    """Judges the outputs of one task's function."""

    benchmark: EvalPlusBenchmark
    entry_point: str
    atol: float

    @property
    def takes_the_reference(self) -> bool:
        """Whether an output that is the reference's own is right without another look."""
        if self.benchmark is EvalPlusBenchmark.HUMANEVAL:
            return self.entry_point != FIND_ZERO
        return self.entry_point not in MBPP_OUTPUT_NOT_NONE_TASKS

    def without_reading(self, reference: Any) -> bool | None:
        """What is to be said of any output that is too long to equal the reference.

        None where it must be read all the same, because it may hold a member many times over.
        """
        if self.benchmark is not EvalPlusBenchmark.MBPP:
            return False
        if self.entry_point in MBPP_OUTPUT_SET_EQ_TASKS:
            return None
        if self.entry_point in MBPP_OUTPUT_NOT_NONE_TASKS:
            return reference is not None
        return self.entry_point == "are_equivalent"

    def accepts(
        self, arguments: list[Any], output: Any, reference: Any, float_so_far: Callable[[], bool]
    ) -> bool:
        """Whether `output` of a call with `arguments` is right; the reference gave `reference`.

        `float_so_far` tells whether this or an earlier call of the run asks for floats: from
        there on evalplus keeps the tolerance that it enforces for them, also where none is meant.
        """
        try:
            if self.benchmark is EvalPlusBenchmark.HUMANEVAL and self.entry_point == FIND_ZERO:
                return bool(abs(_poly(arguments[0], output)) <= self.atol)
            exact = output == reference
            if self.benchmark is EvalPlusBenchmark.MBPP:
                exact = self._mbpp(arguments, output, reference, exact=exact)
            return bool(exact) or self._is_near(output, reference, float_so_far)
        except Exception:  # noqa: BLE001 - an output that its oracle cannot digest is wrong
            return False

    def _is_near(self, output: Any, reference: Any, float_so_far: Callable[[], bool]) -> bool:
        atol = self.atol
        if atol == 0 and not float_so_far():
            return False
        return (
            type(output) is type(reference)
            and (not isinstance(reference, (list, tuple)) or len(output) == len(reference))
            and bool(np.allclose(output, reference, rtol=RTOL, atol=atol or ENFORCED_ATOL))
        )

    def _mbpp(  # noqa: PLR0911 - one for each special oracle
        self, arguments: list[Any], output: Any, reference: Any, *, exact: bool
    ) -> bool:
        name = self.entry_point
        if name == "are_equivalent":
            return True
        if name == "sum_div":
            return exact or output == 0
        if name == "surface_Area":
            return exact or abs(output - _surface_Area(*arguments)) <= self.atol
        if name == "digit_distance_nums":
            return exact or output == _digit_distance_nums(*arguments)
        if name in MBPP_OUTPUT_SET_EQ_TASKS:
            return _same_members(output, set(reference))
        if name in MBPP_OUTPUT_NOT_NONE_TASKS:
            there_is_one = reference is not None
            return (
                output == there_is_one
                if isinstance(output, bool)
                else (output is not None) == there_is_one
            )
        return exact


def _same_members(output: Any, wanted: set[Any]) -> bool:
    """`set(output) == wanted`, without a set of members that an output chose so as to collide."""
    return all(member in wanted for member in output) and set(output) == wanted


def asks_for_floats(entry_point: str, reference: Any) -> bool:
    """Whether evalplus takes this reference output for floats."""
    return entry_point not in MBPP_OUTPUT_NOT_NONE_TASKS and bool(is_floats(reference))
