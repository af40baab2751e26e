"""The model card and the data set card, in the hub's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import polars as pl
from huggingface_hub import DatasetCard, DatasetCardData, ModelCard, ModelCardData

from iterpref_assets.core.pairs.manifest import PairManifest
from iterpref_assets.core.pairs.statistics import count_by_filter
from iterpref_assets.core.publishing.facts import ModelFacts
from iterpref_assets.core.publishing.scores import TASK, BenchmarkScore, eval_results
from iterpref_assets.core.reporting.markdown import pair_difference, table
from iterpref_assets.core.templates import load_template

TAGS = ["code", "preference-learning", "dpo", "iterpref"]
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)
_LOCAL_NAMES = (".local", ".localhost", ".internal", ".lan")
"""Ends of names that no one resolves from outside."""
_TOLD_ELSEWHERE = {"beta", "alpha", "tensorboard", "report_to"}


def model_card(
    name: str, facts: ModelFacts, scores: Sequence[BenchmarkScore], license_: str | None
) -> ModelCard:
    """The card of a trained model; `name` is its repository."""
    title = name.rpartition("/")[2]
    data = ModelCardData(
        base_model=facts.repository or None,
        library_name="transformers",
        pipeline_tag=TASK,
        license=license_,
        tags=[*TAGS, facts.recipe.name],
        model_name=title,
        eval_results=list(eval_results(scores)) or None,
    )
    strengths = {"beta": facts.recipe.beta, "alpha": facts.recipe.alpha or None}
    told = " ".join(
        f"{name} = {value:g}." for name, value in strengths.items() if value is not None
    )
    options = {
        name: value
        for name, value in facts.options.items()
        if value is not None and name not in _TOLD_ELSEWHERE
    }
    text = load_template("model_card").fill(
        title=title,
        recipe=facts.recipe.name,
        description=facts.recipe.description,
        strengths=f" {told}" if told else "",
        options=_table(("option", "value"), {f"`{n}`": f"`{v}`" for n, v in options.items()}),
        data=f" Base model: {facts.base_model}." if facts.base_model else "",
        figures=_table(
            ("at the end of training", ""),
            {name.replace("_", " "): f"{value:.4g}" for name, value in facts.figures.items()},
        ),
        scores=_scores(scores),
        provenance=_table(
            ("what", "which"),
            {
                **{f"{name} (sha256)": f"`{digest}`" for name, digest in facts.made_of.items()},
                "code": facts.code_version,
                **_addresses(facts.trackers),
            },
        ),
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}\n")


def dataset_card(
    name: str,
    pairs: pl.DataFrame,
    manifest: PairManifest | None,
    made_of: Mapping[str, str],
    license_: str | None,
) -> DatasetCard:
    """The card of a table of pairs (tables.PAIRS); `name` is its repository."""
    counts = count_by_filter(pairs)
    kept = pairs.filter(pl.col("dropped_by").is_null())
    data = DatasetCardData(
        license=license_,
        task_categories=[TASK],
        size_categories=next((size for limit, size in _SIZES if kept.height < limit), "n>1M"),
        tags=TAGS,
        pretty_name=name.rpartition("/")[2],
        configs=[{"config_name": "default", "data_files": "train.parquet"}],
    )
    settings = {} if manifest is None else manifest.pairs.model_dump(mode="json", exclude_none=True)
    tasks = {} if manifest is None else manifest.benchmark_tasks
    text = load_template("dataset_card").fill(
        title=name.rpartition("/")[2],
        counts=_table(
            ("pairs", "count"),
            {
                "kept": f"{counts.kept:,}",
                **{
                    f"dropped: {name.replace('_', ' ')}": f"{count:,}"
                    for name, count in counts.dropped.items()
                    if count
                },
                **{f"solve tasks of {name}": f"{count:,}" for name, count in tasks.items()},
            },
        ),
        settings=_table(("option", "value"), {f"`{n}`": f"`{v}`" for n, v in settings.items()}),
        example=pair_difference(kept.row(0, named=True)).rstrip()
        if kept.height
        else "No pair was kept.",
        provenance=_table(
            ("made of", "sha256"), {name: f"`{digest}`" for name, digest in made_of.items()}
        ),
    )
    return DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{text}\n")


def _addresses(trackers: Mapping[str, str]) -> dict[str, str]:
    """The runs that others can look at; where this machine keeps the others is nobody's."""
    return {name: link for name, link in trackers.items() if _is_public(link)}


def _is_public(link: str) -> bool:
    """Whether a link may lead somewhere from another network than this one."""
    parts = urlsplit(link)
    if parts.scheme not in ("http", "https"):
        return False
    host = (parts.hostname or "").rstrip(".")
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_LOCAL_NAMES)


def _scores(scores: Sequence[BenchmarkScore]) -> str:
    if not scores:
        return "None were given."
    rows: dict[str, str] = {}
    for score in scores:
        told = [f"{metric} {rate:.1%}" for metric, rate in score.rates.items()]
        if score.interval:
            told.append(f"(pass@1 from {score.interval.low:.1%} to {score.interval.high:.1%})")
        rows[f"{score.dataset[1]}, {score.tasks} tasks"] = " ".join(told)
    return _table(("benchmark", "score"), rows)


def _table(head: tuple[str, str], rows: Mapping[str, Any]) -> str:
    """A table of names and values; nothing where there are none."""
    return table(head, [(n, str(value)) for n, value in rows.items()]).rstrip() if rows else ""
