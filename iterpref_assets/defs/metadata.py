"""What the Dagster UI shows beside each artifact: previews, tables and inline plots."""

from __future__ import annotations

import json

import dagster as dg
import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import Artifact
from iterpref_assets.core.evaluation.benchmark_summary import BenchmarkSummary
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.summary import (
    PassRate,
    ScoreSummary,
    error_table,
    summarize,
)
from iterpref_assets.core.pairs.statistics import count_by_filter, focal_share
from iterpref_assets.core.quality.summary import summarize_tests
from iterpref_assets.core.training.curves import TIMED
from iterpref_assets.defs.plots import plots, shown_file, with_plots
from iterpref_assets.steps.benchmarks import SCORES_FILE, SOURCE_FILE, TASKS_FILE
from iterpref_assets.steps.benchmarks import SUMMARY_FILE as BENCHMARK_SUMMARY_FILE
from iterpref_assets.steps.checkpoints import METRICS_FILE, SPEED_CURVE, TRACKERS
from iterpref_assets.steps.evaluations import GREEDY_FILE, SAMPLED_FILE
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.leaderboard import PLOT_FILE as BOARD_PLOT_FILE
from iterpref_assets.steps.leaderboard import TEXT_FILE as BOARD_TEXT_FILE
from iterpref_assets.steps.pairs import PAIRS_FILE, TOKENS_FILE
from iterpref_assets.steps.partitions import ModelVariant
from iterpref_assets.steps.quality import QUALITY_FILE
from iterpref_assets.steps.raw_seeds import UNUSABLE_FILE
from iterpref_assets.steps.seed_problems import DROPPED_FILE
from iterpref_assets.steps.trajectories import VERSIONS_FILE, allowed_rounds, rates_by_round

Metadata = dict[str, dg.MetadataValue]

SHOWN_PAIRS = 3
SHOWN_CHANGES = 20
CURVES = {
    "loss": "Loss",
    "reward_margin": "Reward margin",
    "reward_accuracy": "Reward accuracy",
    "eval_loss": "Loss on held-out pairs",
    "eval_reward_margin": "Reward margin on held-out pairs",
    "eval_reward_accuracy": "Reward accuracy on held-out pairs",
    "chosen_logprob": "Log-probability of y+ (nats a token)",
    "rejected_logprob": "Log-probability of y- (nats a token)",
    "focal_logprob": "Log-probability of D- (nats a token)",
    "grad_norm": "Gradient norm",
    TIMED: "Pairs per second",
}
"""What is drawn of a training run, by the name of its figure."""


def of_nothing(_artifact: Artifact) -> Metadata:
    """No more than what every artifact shows."""
    return {}


def of_problems(artifact: Artifact) -> Metadata:
    """One problem as its reader sees it, and how many there are by leading feature."""
    frame = tables.read_table(artifact.path(PROBLEMS_FILE), tables.PROBLEMS)
    if frame.is_empty():
        return {}
    first = frame.row(0, named=True)
    kinds = frame["features"].list.first().value_counts(sort=True)
    return {
        "problems_by_kind": _table(kinds),
        "example": _markdown(f"{first['prompt']}\n```python\n{first['reference']}\n```"),
    }


def of_raw_seeds(artifact: Artifact) -> Metadata:
    """`of_problems`, and the records of the source that are none, by reason."""
    unusable = tables.read_table(artifact.path(UNUSABLE_FILE), tables.UNUSABLE_SEEDS)
    return {
        "unusable": dg.MetadataValue.int(unusable.height),
        "unusable_by_reason": _table(unusable["reason"].value_counts(sort=True)),
        "unusable_examples": _table(unusable.unique("reason", maintain_order=True)),
        **of_problems(artifact),
        "figures": dg.MetadataValue.json(artifact.manifest.figures),
    }


def of_seeds(artifact: Artifact) -> Metadata:
    """`of_problems`, how many were dropped by which reason, and because of what."""
    dropped = tables.read_table(artifact.path(DROPPED_FILE), tables.DROPPED_SEEDS)
    by_benchmark = dropped.group_by("reason", "benchmark").agg(
        seeds=pl.col("problem_id").n_unique()
    )
    return {
        "dropped": dg.MetadataValue.int(dropped["problem_id"].n_unique()),
        "dropped_by_reason": dg.MetadataValue.json(artifact.manifest.figures["dropped"]),
        "dropped_by_benchmark": _table(by_benchmark.sort("reason", "benchmark")),
        **of_problems(artifact),
        "compared_with": dg.MetadataValue.json(artifact.manifest.figures["compared_with"]),
        "dropped_examples": _table(dropped.unique("reason", keep="first", maintain_order=True)),
    }


def of_test_quality(artifact: Artifact) -> Metadata:
    """The summary, and the changes of solutions that tests do not notice."""
    frame = tables.read_table(artifact.path(QUALITY_FILE), tables.TEST_QUALITY)
    summary = summarize_tests(frame)
    shares = {
        name: dg.MetadataValue.float(value)
        for name in ("line_coverage", "branch_coverage", "mutation_score")
        if (value := getattr(summary, name)) is not None
    }
    alive = frame.explode("survivors").drop_nulls("survivors")
    return {
        **shares,
        "flaky": dg.MetadataValue.int(summary.flaky),
        "one_result": dg.MetadataValue.int(len(summary.one_result)),
        "summary": dg.MetadataValue.json(summary.model_dump(mode="json")),
        "unnoticed_changes": _table(alive.select("problem_id", "survivors").head(SHOWN_CHANGES)),
    }


def of_lab_model(artifact: Artifact) -> Metadata:
    """Where the weights come from."""
    provenance = json.loads(artifact.path("provenance.json").read_text(encoding="utf-8"))
    return {"provenance": dg.MetadataValue.json(provenance)}


def of_completions(artifact: Artifact) -> Metadata:
    """Token counts, and how completions ended."""
    frame = tables.read_table(artifact.path(COMPLETIONS_FILE), tables.COMPLETIONS)
    tokens = frame["completion_tokens"]
    uncounted = {"completions_of_unknown_length": dg.MetadataValue.int(tokens.null_count())}
    return {
        "completion_tokens": dg.MetadataValue.int(int(tokens.sum())),
        **(uncounted if tokens.null_count() else {}),
        "finish_reasons": _table(frame["finish_reason"].value_counts(sort=True)),
        "engine": dg.MetadataValue.text(frame["engine"][0] if frame.height else ""),
        "example": _markdown(frame["completion"][0] if frame.height else ""),
    }


def of_trajectories(artifact: Artifact) -> Metadata:
    """The pass rate by debugging round, what it cost beside sampling, and how versions failed."""
    from iterpref_assets.core.debugging.figures import compare_budgets
    from iterpref_assets.core.reporting import plots as figures_of

    frame = tables.read_table(artifact.path(VERSIONS_FILE), tables.VERSIONS)
    calls = tables.read_table(artifact.path(COMPLETIONS_FILE), tables.COMPLETIONS)
    rates = rates_by_round(frame, [artifact])
    rounds = pl.DataFrame({"round": range(len(rates)), "solved": [f"{r:.1%}" for r in rates]})
    return {
        "pass_rate_plot": plots(artifact, {"pass_rate": figures_of.pass_rate_by_round(rates)}),
        "pass_rate_by_round": _table(rounds),
        "debugging_and_sampling_by_calls": _table(
            compare_budgets(frame, calls, allowed_rounds([artifact])).with_columns(
                pl.col(pl.Float64).round(3)
            )
        ),
        "verdicts": _table(frame["verdict"].value_counts(sort=True)),
        "finish_reasons": _table(calls["finish_reason"].value_counts(sort=True)),
    }


def of_pairs(artifact: Artifact) -> Metadata:
    """Pairs kept and dropped by filter, and some of each with D+ and D- marked."""
    from iterpref_assets.core.pairs.characteristics import KEPT, drawn_pairs
    from iterpref_assets.core.reporting import plots as figures_of

    file = artifact.path(PAIRS_FILE)
    counts = count_by_filter(pl.read_parquet(file, columns=["dropped_by"]))
    dropped = {
        f"dropped_by_{name}": _pair_examples(drawn_pairs(file, 1, pl.col("dropped_by") == name))
        for name, count in counts.dropped.items()
        if count
    }
    judged = artifact.manifest.figures.get("judge_answers")
    plot = figures_of.pairs_by_filter(counts.kept, counts.dropped)
    return {
        "kept": dg.MetadataValue.int(counts.kept),
        "filter_plot": plots(artifact, {"pairs_by_filter": plot}),
        "dropped_by_filter": dg.MetadataValue.json(counts.dropped),
        "examples": _pair_examples(drawn_pairs(file, SHOWN_PAIRS, KEPT)),
        **dropped,
        **({"judge_answers": dg.MetadataValue.json(judged)} if judged else {}),
        **_of_problems_without_pairs(artifact),
    }


def _of_problems_without_pairs(artifact: Artifact) -> Metadata:
    """How many problems have pairs, how many have none by reason, and some of those with why."""
    figures = artifact.manifest.figures
    if "problems_with_pairs" not in figures:
        return {}
    examples = figures["examples_without_pairs"].items()
    rows = [{"problem_id": name, "why": why} for name, why in examples]
    return {
        "problems_with_pairs": dg.MetadataValue.int(figures["problems_with_pairs"]),
        "problems_without_pairs": dg.MetadataValue.json(figures["problems_without_pairs"]),
        "examples_without_pairs": _table(pl.DataFrame(rows)),
    }


def _pair_examples(pairs: pl.DataFrame) -> dg.MetadataValue:
    from iterpref_assets.core.reporting.markdown import pair_difference

    return _markdown("\n\n".join(pair_difference(row) for row in pairs.iter_rows(named=True)))


def of_preference_pairs(artifact: Artifact) -> Metadata:
    """How long the pairs are, and which share of y- the focal term reads."""
    file = artifact.path(TOKENS_FILE)
    sides = [pl.col(f"{side}_ids").list.len().mean() for side in ("prompt", "chosen", "rejected")]
    lengths = pl.scan_parquet(file).select(sides).collect().row(0)
    return {
        "focal_share": dg.MetadataValue.float(focal_share(pl.scan_parquet(file))),
        "mean_tokens": dg.MetadataValue.text(
            "prompt {:.0f}, y+ {:.0f}, y- {:.0f}".format(*lengths)
        ),
    }


def of_checkpoint(artifact: Artifact) -> Metadata:
    """The training curves and the last figures."""
    from iterpref_assets.core.reporting import plots as figures_of

    lines = artifact.path(METRICS_FILE).read_text(encoding="utf-8").splitlines()
    figures = dict(artifact.manifest.figures)
    speeds = figures.pop(SPEED_CURVE)
    links = {
        f"{name}_run": dg.MetadataValue.url(link)
        if link.startswith("http")
        else dg.MetadataValue.text(link)
        for name, link in figures.pop(TRACKERS, {}).items()
    }
    rows = [
        json.loads(line) | ({TIMED: speed} if speed is not None else {})
        for line, speed in zip(lines, speeds, strict=True)
    ]
    recipe = ModelVariant.parse(artifact.manifest.partition).variant
    curves = {
        name: figures_of.training_curves({recipe: rows}, name, label)
        for name, label in CURVES.items()
        if any(name in row for row in rows)
    }
    return {
        "curves": plots(artifact, curves),
        "figures": dg.MetadataValue.json(_rounded(figures)),
        **links,
    }


def _rounded(figures: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Figures in as many digits as mean something; the manifest has them all."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in figures.items()
    }


def of_scores(artifact: Artifact) -> Metadata:
    """pass@1 with its interval, pass@k, and how the failing programs failed."""
    greedy = _summary(artifact, GREEDY_FILE, "evaluation")
    sampled = _summary(artifact, SAMPLED_FILE, "sampled_evaluation")
    errors = [error.model_dump() for error in greedy.error_types]
    return {
        "pass_at_1": dg.MetadataValue.float(greedy.pass_at_1),
        "interval": dg.MetadataValue.text(f"{greedy.low:.1%} to {greedy.high:.1%}"),
        "tasks": dg.MetadataValue.int(greedy.n),
        "sampled_pass_at_k": dg.MetadataValue.json(
            {str(k): value for k, value in sampled.pass_at_k.items()}
        ),
        "error_types": _table(pl.DataFrame(errors) if errors else pl.DataFrame()),
    }


def of_benchmark_tasks(artifact: Artifact) -> Metadata:
    """How many tasks can run, why others cannot, and what was loaded."""
    frame = tables.read_table(artifact.path(TASKS_FILE), tables.BENCHMARK_TASKS)
    left_out = frame.filter(pl.col("not_run") != "")
    source = json.loads(artifact.path(SOURCE_FILE).read_text(encoding="utf-8"))
    return {
        "tasks": dg.MetadataValue.int(frame.height),
        "runnable": dg.MetadataValue.int(frame.height - left_out.height),
        "reference_verdicts": _table(frame["verdict"].value_counts(sort=True)),
        "tasks_by_group": _table(frame["group"].value_counts(sort=True)),
        "not_run": _table(left_out.select("task_id", "not_run")),
        "data": dg.MetadataValue.json(source),
    }


def of_benchmark_scores(artifact: Artifact) -> Metadata:
    """pass@1 by tests and by group, failures by type, and what was not judged and why."""
    text = artifact.path(BENCHMARK_SUMMARY_FILE).read_text(encoding="utf-8")
    summary = BenchmarkSummary.model_validate_json(text)
    overall = summary.overall
    rates: dict[str, PassRate | None] = {"all tasks": overall, "with plus tests": overall.plus}
    shown = {name: rate for name, rate in {**rates, **summary.groups}.items() if rate}
    frame = tables.read_scores(artifact.path(SCORES_FILE))
    variant = ModelVariant.parse(artifact.manifest.partition).variant
    unanswered = {reason: n for reason, n in summary.unanswered.items() if n}
    return {
        "pass_at_1": dg.MetadataValue.float(overall.pass_at_1),
        "rates": _table(pl.DataFrame([_rate(name, rate) for name, rate in shown.items()])),
        "error_types": _table(error_table({variant: frame})),
        "not_run": dg.MetadataValue.json(summary.not_run),
        "counted_as_failed_without_an_answer": dg.MetadataValue.json(unanswered),
        "prompts": dg.MetadataValue.text(summary.style.value),
        "data": dg.MetadataValue.json(summary.data.model_dump()),
    }


def _rate(name: str, rate: PassRate) -> dict[str, str]:
    more = {f"pass@{k}": f"{value:.1%}" for k, value in rate.pass_at_k.items() if k > 1}
    interval = {"low": f"{rate.low:.1%}", "high": f"{rate.high:.1%}"}
    return (
        {"tests": name, "tasks": f"{rate.n}", "pass@1": f"{rate.pass_at_1:.1%}"} | interval | more
    )


def of_leaderboard(artifact: Artifact) -> Metadata:
    """The tables and the figure."""
    return {
        "leaderboard": _markdown(artifact.path(BOARD_TEXT_FILE).read_text(encoding="utf-8")),
        "plot": shown_file(artifact, BOARD_PLOT_FILE),
    }


def of_report(artifact: Artifact) -> Metadata:
    """The report itself, its plots inline."""
    return {"report": with_plots(artifact, "report.md")}


def of_data_card(artifact: Artifact) -> Metadata:
    """The card itself, its plots inline."""
    from iterpref_assets.core.reporting.data_card import CARD

    figures = artifact.manifest.figures
    return {
        "kept": dg.MetadataValue.int(figures["kept"]),
        "calls_per_pair": dg.MetadataValue.float(figures["calls_per_pair"]),
        "pairs_per_1000_calls": dg.MetadataValue.float(figures["pairs_per_1000"]),
        "card": with_plots(artifact, CARD),
    }


def _summary(artifact: Artifact, file: str, section: str) -> ScoreSummary:
    frame = tables.read_scores(artifact.path(file))
    config = EvaluationConfig.model_validate(artifact.manifest.config[section])
    return summarize(frame, config)


def _markdown(text: str) -> dg.MetadataValue:
    return dg.MetadataValue.md(text)


def _table(frame: pl.DataFrame) -> dg.MetadataValue:
    records = [
        dg.TableRecord({name: str(value) for name, value in row.items()})
        for row in frame.iter_rows(named=True)
    ]
    schema = dg.TableSchema([dg.TableColumn(name, "string") for name in frame.columns])
    return dg.MetadataValue.table(records, schema)
