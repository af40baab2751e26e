"""Trajectories without what their tests do not reach, before pairs are made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from iterpref_assets.core.frames import TESTS
from iterpref_assets.core.records import Tests
from iterpref_assets.core.sandbox.verdicts import Execution
from iterpref_assets.core.unreachable import names_asked_for, reachable_part

ProgramJudging = Callable[[str, Tests], Execution]
"""Runs a program against tests; called from several threads at once."""


def reachable_programs(versions: pl.DataFrame, tests: Mapping[str, str]) -> pl.Series:
    """Each version's program without the lines that its tests do not reach.

    Args:
        versions: at least `problem_id` and `code` of tables.VERSIONS.
        tests: the JSON of each problem's tests, by its id; programs of other problems stay whole.
    """
    asked = {
        name: names_asked_for(TESTS.validate_json(tests[name]))
        for name in versions["problem_id"].unique().to_list()
        if tests.get(name)
    }
    rows = versions.select("problem_id", "code").iter_rows()
    left = [reachable_part(code, asked.get(name)) for name, code in rows]
    return pl.Series("code", left, dtype=pl.String())


def without_unreached(
    versions: pl.DataFrame, tests: Mapping[str, str], judge: ProgramJudging
) -> pl.DataFrame:
    """The versions with their reachable programs, those that this changes judged anew.

    A program that failed in its own example usage may pass without it: its recorded verdict says
    nothing of what is left.

    Args:
        versions: columns of tables.VERSIONS.
        tests: the JSON of each problem's tests, by its id.
        judge: what gives the verdicts.

    Returns:
        Columns of tables.VERSIONS, the same rows in the same order.
    """
    programs = reachable_programs(versions, tests)
    changed = (versions["code"] != programs).arg_true()
    if changed.is_empty():
        return versions
    names = versions["problem_id"].gather(changed).to_list()
    asked = [TESTS.validate_json(tests[name]) for name in names]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        executions = list(pool.map(judge, programs.gather(changed), asked))
    return versions.with_columns(
        programs,
        versions["verdict"].scatter(changed, [each.verdict.value for each in executions]),
        versions["error_type"].scatter(changed, [each.error_type for each in executions]),
        versions["feedback"].scatter(changed, [each.message for each in executions]),
    )
