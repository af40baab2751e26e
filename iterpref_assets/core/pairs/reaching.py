"""Trajectories without what their tests do not reach, before pairs are made of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import polars as pl

from iterpref_assets.core.frames import TESTS
from iterpref_assets.core.reached import ProgramJudging, judge_reached
from iterpref_assets.core.sandbox.verdicts import Execution
from iterpref_assets.core.unreachable import names_asked_for, reachable_part


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
    """The versions with what counts of their programs, judged anew where they are cut.

    A program that failed in its own example usage may pass without it: its recorded verdict says
    nothing of what is left.

    Args:
        versions: columns of tables.VERSIONS.
        tests: the JSON of each problem's tests, by its id.
        judge: what gives the verdicts.

    Returns:
        Columns of tables.VERSIONS, the same rows in the same order.
    """
    changed = (versions["code"] != reachable_programs(versions, tests)).arg_true()
    if changed.is_empty():
        return versions
    asked = [TESTS.validate_json(tests[name]) for name in versions["problem_id"].gather(changed)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        judged = list(
            pool.map(judge_reached, versions["code"].gather(changed), asked, repeat(judge))
        )
    return versions.with_columns(
        versions[each.name].scatter(changed, each) for each in judged_columns(judged)
    )


def judged_columns(judged: Sequence[tuple[str, Execution]]) -> list[pl.Series]:
    """What `judge_reached` gave, as columns of tables.VERSIONS."""
    columns = {
        "code": [code for code, _ in judged],
        "verdict": [execution.verdict.value for _, execution in judged],
        "error_type": [execution.error_type for _, execution in judged],
        "feedback": [execution.message for _, execution in judged],
    }
    return [pl.Series(name, values, dtype=pl.String) for name, values in columns.items()]
