"""Programs of the grid's models that pass a problem's tests, judged by stronger ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, Plan
from iterpref_assets.core.evaluation.model_scoring import JUDGING_THREADS
from iterpref_assets.core.lab.stronger import stronger_tests
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits
from iterpref_assets.core.seeds.lab import LabSeeds
from iterpref_assets.settings import Settings
from iterpref_assets.steps.evaluations import GREEDY_FILE
from iterpref_assets.steps.experiment_samples import is_asked, never
from iterpref_assets.steps.experiment_scores import EXPERIMENT_SCORES
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, read_problems
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step, StepContext, each_named

STRONGER_FILE = "stronger.parquet"


def is_possible(settings: Settings) -> bool:
    """Whether the experiment's problems have stronger tests: those of the lab alone do."""
    return is_asked(settings) and isinstance(settings.seeds, LabSeeds)


def _config(context: StepContext, _partition: str) -> Mapping[str, JsonValue]:
    settings = context.settings
    return {"limits": settings.section("limits"), "packages": list(settings.packages)}


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    store, settings = context.store, context.settings
    problems = {each.problem_id: each for each in read_problems(store, _HELDOUT)}
    with Sandbox(packages=settings.packages) as sandbox:
        for plan in each_named(plans):
            scored = store.current(ArtifactKey(EXPERIMENT_SCORES.asset, plan.key.partition))
            scores = tables.read_scores(scored.path(GREEDY_FILE))
            judged = judge_stronger(scores, problems, sandbox, settings.limits)
            with store.publishing(plan) as staging:
                tables.write_table(judged, tables.STRONGER, staging.folder / STRONGER_FILE)
                staging.row_count = judged.height


def judge_stronger(
    scores: pl.DataFrame, problems: Mapping[str, Problem], sandbox: Sandbox, limits: Limits
) -> pl.DataFrame:
    """tables.STRONGER of the programs of `scores` (tables.SCORES) that pass their problem's tests.

    Args:
        scores: of lab problems.
        problems: by id.
        sandbox: runs the programs.
        limits: of one program with all its calls.
    """

    def passes(row: tuple[str, str]) -> bool:
        name, code = row
        return sandbox.judge(code, stronger_tests(problems[name]), limits).passed

    passed = scores.filter(pl.col("base_passed")).select("task_id", "code")
    with ThreadPoolExecutor(JUDGING_THREADS) as pool:
        verdicts = list(pool.map(passes, passed.iter_rows()))
    judged = pl.Series(verdicts, dtype=pl.Boolean())
    return passed.select("task_id").with_columns(passed_stronger=judged)


_HELDOUT = ArtifactKey(HELDOUT_PROBLEMS.asset)

EXPERIMENT_STRONGER = Step(
    asset="experiment_stronger",
    partitioning=Partitioning.CELL,
    parents=(EXPERIMENT_SCORES, HELDOUT_PROBLEMS),
    config=_config,
    publish=_publish,
    code_version="1",
    exists=is_possible,
    in_run=never,
)
