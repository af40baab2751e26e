"""The quality of a shard's tests as a table: a row for each problem of a sample."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.progress import track
from iterpref_assets.core.quality.config import QualityConfig
from iterpref_assets.core.quality.constants import expects_one_result
from iterpref_assets.core.quality.coverage import PACKAGE, measure_coverage
from iterpref_assets.core.quality.flakiness import OTHER_HASH_SEED, judge_in_reverse
from iterpref_assets.core.quality.mutation import mutants
from iterpref_assets.core.quality.ratings import CRITERIA, Rating, read_rating
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import DEFAULT_PRELOAD, Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits


def sampled_problems(problems: Sequence[Problem], config: QualityConfig) -> list[Problem]:
    """The problems to look at, in their order; which ones depends on their ids and the seed."""

    def rank(problem: Problem) -> int:
        return derive_seed("test quality", config.seed, problem.problem_id)

    chosen = {each.problem_id for each in sorted(problems, key=rank)[: config.problems]}
    return [each for each in problems if each.problem_id in chosen]


def measure_tests(
    problems: Sequence[Problem],
    config: QualityConfig,
    limits: Limits,
    packages: Sequence[str] = (),
) -> pl.DataFrame:
    """Run each problem's reference, and changes of it, under its tests.

    Args:
        problems: what to look at.
        config: how many mutants.
        limits: of each program; a traced one may take longer.
        packages: installed distributions that programs may import.

    Returns:
        tables.TEST_QUALITY without ratings. A problem without a reference, or whose reference
        fails, has nothing measured but the verdict
        and `one_result`.

    Raises:
        InputError: where the tests of a problem are unusable.
    """
    preload = (*DEFAULT_PRELOAD, PACKAGE)
    with (
        Sandbox(preload=preload, packages=(*packages, PACKAGE)) as sandbox,
        Sandbox(packages=packages, hash_seed=OTHER_HASH_SEED) as other,
        track("Tests measured", len(problems)) as tracker,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):

        def measure(problem: Problem) -> dict[str, Any]:
            row = _measure(problem, config, limits, sandbox, other)
            tracker.advance()
            return row

        rows = list(pool.map(measure, problems))
    return pl.DataFrame(rows, schema=tables.TEST_QUALITY).sort("problem_id")


def with_ratings(quality: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """tables.TEST_QUALITY with what a judge's answers (tables.COMPLETIONS) say."""
    rows: list[dict[str, Any]] = []
    for name, text, reason in answers.select(
        "problem_id", "completion", "finish_reason"
    ).iter_rows():
        rating = read_rating(text, FinishReason(reason))
        scores = {each: getattr(rating, each, None) for each in CRITERIA}
        fault = None if isinstance(rating, Rating) else rating.value
        rows.append({"problem_id": name, **scores, "rating_fault": fault})
    columns = ("problem_id", *CRITERIA, "rating_fault")
    schema = {name: tables.TEST_QUALITY[name] for name in columns}
    ratings = pl.DataFrame(rows, schema=schema)
    return quality.drop(columns[1:]).join(
        ratings, on="problem_id", how="left", maintain_order="left"
    )


def _measure(
    problem: Problem, config: QualityConfig, limits: Limits, sandbox: Sandbox, other: Sandbox
) -> dict[str, Any]:
    code, tests = problem.reference, problem.tests
    row: dict[str, Any] = {
        "problem_id": problem.problem_id,
        "one_result": expects_one_result(tests),
    }
    if not code:
        return row
    execution = sandbox.judge(code, tests, limits)
    row["verdict"] = execution.verdict.value
    if not execution.passed:
        return row
    if (coverage := measure_coverage(sandbox, code, tests, limits)) is not None:
        row |= {
            "lines": coverage.lines,
            "covered_lines": coverage.covered_lines,
            "branches": coverage.branches,
            "covered_branches": coverage.covered_branches,
        }
    changed = mutants(code, config.mutants, config.seed, problem.problem_id)
    alive = [each.change for each in changed if sandbox.judge(each.code, tests, limits).passed]
    again = judge_in_reverse(other, code, tests, limits)
    return {
        **row,
        "mutants": len(changed),
        "killed": len(changed) - len(alive),
        "survivors": alive,
        "flaky": not again.passed,
    }
