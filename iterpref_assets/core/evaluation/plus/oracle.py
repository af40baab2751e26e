"""Whether one call's output is right, by the rules of evalplus 0.3.1, on plain values.

evalplus states these rules only inside the function that runs the untrusted code
(`evalplus.eval.unsafe_execute`), so their order is followed here step by step; the oracles, task
lists and float test are its own. Two things differ, both faults there (docs/evaluation.md):
HumanEval/32 counts its passing calls, and oracles see the inputs as they were before the call.
"""

from __future__ import annotations

from collections.abc import Iterable
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

from iterpref_assets.core.evaluation.plus.data import PlusBenchmark

RTOL = 1e-07
ENFORCED_ATOL = 1e-6


class Oracle:
    """Judges the outputs of one run of one task, in order.

    The order matters: from the first expected float on, evalplus keeps the tolerance that it
    enforces for floats, also for later outputs that are none.
    """

    def __init__(self, benchmark: PlusBenchmark, entry_point: str, atol: float) -> None:
        self._benchmark, self._entry_point, self._atol = benchmark, entry_point, atol

    def accepts(self, arguments: list[Any], output: Any, expected: Any) -> bool:
        """Whether `output` of a call with `arguments` is right where `expected` is the reference's.

        `expected` of a task in MBPP_OUTPUT_NOT_NONE_TASKS is whether the reference gave a value.
        """
        try:
            return self._accepts(arguments, output, expected)
        except Exception:  # noqa: BLE001 - an output that its oracle cannot digest is wrong
            return False

    def _accepts(self, arguments: list[Any], output: Any, expected: Any) -> bool:
        if self._benchmark is PlusBenchmark.HUMANEVAL and self._entry_point == "find_zero":
            return bool(abs(_poly(arguments[0], output)) <= self._atol)
        exact = output == expected
        if self._benchmark is PlusBenchmark.MBPP:
            exact = self._mbpp(arguments, output, expected, exact=exact)
        if self._atol == 0 and is_floats(expected):
            self._atol = ENFORCED_ATOL
        if exact or self._atol == 0:
            return bool(exact)
        return (
            type(output) is type(expected)
            and (not isinstance(expected, (list, tuple)) or len(output) == len(expected))
            and bool(np.allclose(output, expected, rtol=RTOL, atol=self._atol))
        )

    def _mbpp(  # noqa: PLR0911 - one for each special oracle
        self, arguments: list[Any], output: Any, expected: Any, *, exact: bool
    ) -> bool:
        name = self._entry_point
        if name == "are_equivalent":
            return True
        if name == "sum_div":
            return exact or output == 0
        if name == "surface_Area":
            return exact or abs(output - _surface_Area(*arguments)) <= self._atol
        if name == "digit_distance_nums":
            return exact or output == _digit_distance_nums(*arguments)
        if name in MBPP_OUTPUT_SET_EQ_TASKS:
            return set(output) == set(expected)
        if name in MBPP_OUTPUT_NOT_NONE_TASKS:
            return exact if isinstance(output, bool) else expected == (output is not None)
        return exact


def expected_of(entry_point: str, outputs: Iterable[Any]) -> list[Any]:
    """The reference's outputs as evalplus keeps them: for some tasks only whether there is one."""
    if entry_point in MBPP_OUTPUT_NOT_NONE_TASKS:
        return [output is not None for output in outputs]
    return list(outputs)
