"""The data card of one base model's pairs, over all shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact, ArtifactKey, Plan
from iterpref_assets.core.debugging.figures import compare_budgets
from iterpref_assets.core.decontamination.refusal import benchmark_tasks
from iterpref_assets.core.pairs import characteristics
from iterpref_assets.core.pairs.characteristics import KEPT
from iterpref_assets.core.pairs.doubt import doubtful_problems
from iterpref_assets.core.pairs.statistics import FilterCounts, count_by_filter
from iterpref_assets.core.pairs.streaming import row_count, unreached_focus_of_file
from iterpref_assets.core.reporting.data_card import CardInputs, write_data_card
from iterpref_assets.core.sandbox.verdicts import Verdict
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.pairs import CODEFLOW_PAIRS, PAIRS_FILE, PREFERENCE_PAIRS, TOKENS_FILE
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.samples import INITIAL_SAMPLES
from iterpref_assets.steps.seed_problems import DROPPED_FILE, SEED_PROBLEMS
from iterpref_assets.steps.step import Step, StepContext, parents_of
from iterpref_assets.steps.trajectories import (
    DEBUG_TRAJECTORIES,
    VERSIONS_FILE,
    allowed_rounds,
    rates_by_round,
    trajectories_in,
)

SHOWN_PAIRS = 10
BY_SHARD = (SEED_PROBLEMS, INITIAL_SAMPLES, DEBUG_TRAJECTORIES, CODEFLOW_PAIRS)
_OUTCOME = ["trajectory_id", "problem_id", "sample", "round", "verdict", "error_type"]


def _publish(context: StepContext, plans: Sequence[Plan]) -> None:
    for plan in plans:
        inputs = _inputs(context, plan)
        with context.store.publishing(plan) as staging:
            write_data_card(inputs, staging.folder)
            staging.figures.update(
                {
                    "kept": inputs.kept,
                    "calls_per_pair": inputs.calls / inputs.kept,
                    "pairs_per_1000": 1000 * inputs.kept / inputs.calls,
                    "pass_rate_by_round": list(inputs.pass_rate_by_round),
                    "budgets": inputs.budgets.to_dicts(),
                    "unreached_focus": inputs.focus.share,
                    "doubtful_problems": inputs.doubtful.height,
                }
            )


def _inputs(context: StepContext, plan: Plan) -> CardInputs:
    store = context.store
    seeds, samples, debugged, built = (
        [store.current(key) for key in parents_of(plan, step.asset)] for step in BY_SHARD
    )
    pairs = store.current(ArtifactKey("preference_pairs", plan.key.partition))
    pair_file = pairs.path(PAIRS_FILE)
    versions = _outcomes([each.path(VERSIONS_FILE) for each in debugged])
    problems = [each.path(PROBLEMS_FILE) for each in seeds]
    completions = [each.path(COMPLETIONS_FILE) for each in (*samples, *debugged)]
    dropped = [tables.read_table(each.path(DROPPED_FILE), tables.DROPPED_SEEDS) for each in seeds]
    dropped_seeds = pl.concat(dropped)
    counts = count_by_filter(pl.read_parquet(pair_file, columns=["dropped_by"]))
    kept_of = pl.scan_parquet(pair_file).filter(KEPT).select("problem_id").collect()["problem_id"]
    return CardInputs(
        stages={
            "seeds": sum(map(row_count, problems)) + dropped_seeds["problem_id"].n_unique(),
            "seed problems kept": sum(map(row_count, problems)),
            "trajectories": trajectories_in(debugged),
            **_debugging_stages(versions),
            **_pair_stages(counts, pairs),
        },
        calls=sum(map(row_count, completions)),
        pass_rate_by_round=rates_by_round(versions, debugged),
        budgets=compare_budgets(versions, _calls(debugged), allowed_rounds(debugged)),
        kept=counts.kept,
        dropped=counts.dropped,
        judged=_judged(built),
        lengths=characteristics.token_lengths(pairs.path(TOKENS_FILE)),
        differences=characteristics.difference_sizes(pair_file),
        failures=characteristics.failures(pair_file, versions),
        problems=characteristics.feature_diversity(problems),
        paired=characteristics.feature_diversity(problems, kept_of.unique()),
        focus=unreached_focus_of_file(pair_file, _tests(problems)),
        doubtful=doubtful_problems([each.path(VERSIONS_FILE) for each in debugged]),
        duplicates=characteristics.duplicates(pair_file),
        dropped_seeds=dropped_seeds,
        benchmarks=sorted({name for each in seeds for name in each.manifest.config["benchmarks"]}),
        benchmark_tasks=len(benchmark_tasks(kept_of)),
        allowed=_allowed(seeds),
        provenance={
            str(parent): store.current(parent).manifest.content_hash[:16] for parent in plan.parents
        },
        shown=characteristics.drawn_pairs(pair_file, SHOWN_PAIRS),
    )


def _outcomes(files: Sequence[Path]) -> pl.DataFrame:
    """tables.VERSIONS without programs and feedback."""
    for file in files:
        tables.check_table(file, tables.VERSIONS)
    return pl.scan_parquet(files).select(_OUTCOME).collect()


def _tests(problems: Sequence[Path]) -> pl.DataFrame:
    return pl.scan_parquet(list(problems)).select("problem_id", "tests").collect()


def _calls(debugged: Iterable[Artifact]) -> pl.DataFrame:
    """tables.COMPLETIONS of debugging, without the texts."""
    files = [each.path(COMPLETIONS_FILE) for each in debugged]
    for file in files:
        tables.check_table(file, tables.COMPLETIONS)
    columns = ("problem_id", "sample", "round", "finish_reason")
    return pl.scan_parquet(files).select(columns).collect()


def _debugging_stages(versions: pl.DataFrame) -> dict[str, int]:
    passed = versions.filter(pl.col("verdict") == Verdict.PASSED.value)["round"]
    return {
        "programs run": versions.height,
        "trajectories that passed at once": int((passed == 0).sum()),
        "trajectories that passed after debugging": int((passed > 0).sum()),
    }


def _pair_stages(counts: FilterCounts, pairs: Artifact) -> dict[str, int]:
    return {
        "candidate pairs": counts.kept + sum(counts.dropped.values()),
        "pairs after the filters": counts.kept,
        "pairs with tokens and masks": pairs.manifest.row_count or 0,
    }


def _allowed(seeds: Sequence[Artifact]) -> list[str]:
    """The sources of benchmark tasks that the seeds' manifests allow."""
    configs = [each.manifest.config.get("seed_filter") for each in seeds]
    return sorted(
        {
            name
            for config in configs
            if isinstance(config, dict)
            for name in config["allow_training_on"]
        }
    )


def _judged(built: Sequence[Artifact]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for artifact in built:
        total.update(artifact.manifest.figures.get("judge_answers", {}))
    return dict(total)


DATA_CARDS = Step(
    asset="data_cards",
    partitioning=Partitioning.BASE_MODEL,
    parents=(PREFERENCE_PAIRS, *BY_SHARD),
    publish=_publish,
    code_version="4",
)
