"""Verdicts on many programs, as many at a time as there are CPUs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from iterpref_assets.core.records import Tests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution, Limits


def judge_all(
    sandbox: Sandbox, work: Iterable[tuple[str, Tests]], limits: Limits
) -> list[Execution]:
    """The verdict on each program by its tests, in order.

    Raises:
        InputError: if tests are unusable.
    """

    def verdict(item: tuple[str, Tests]) -> Execution:
        return sandbox.judge(item[0], item[1], limits)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(verdict, work))
