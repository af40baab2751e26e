"""Jobs for the shell and for schedules: each stretch of the chain with partitions of one kind."""

import functools
from collections.abc import Callable, Iterator

import dagster as dg

from iterpref_assets.settings import load_settings
from iterpref_assets.steps.chain import CHAIN, step_of, upstream_of
from iterpref_assets.steps.partitions import Partitioning
from iterpref_assets.steps.step import Step

_job = functools.partial(dg.define_asset_job, tags={"dagster/priority": "-1"})
"""Schedules, sensors and job backfills launch jobs by the dozen: in the queue of runs, what
somebody materializes by hand goes before them."""


def _assets(
    partitioning: Partitioning, belongs: Callable[[Step], bool] = lambda _step: True
) -> Iterator[str]:
    """The assets of one kind of partitions that a run of the chain makes."""
    settings = load_settings()
    for step in CHAIN:
        made = step.exists(settings) and step.in_run(settings)
        if made and step.partitioning is partitioning and belongs(step):
            yield step.asset


def _is_of_pairs(step: Step) -> bool:
    """Whether it follows from pairs alone, before anything is trained or scored."""
    upstream = upstream_of(step)
    return "codeflow_pairs" in upstream and "checkpoints" not in upstream


_BEFORE_FILTERS = upstream_of(step_of("seed_problems"))

SCORES = tuple(_assets(Partitioning.SCORE))
"""Every asset of scores that there is."""

read_seeds = _job(
    "read_seeds",
    dg.AssetSelection.assets(
        *_assets(Partitioning.SHARD, lambda step: step.asset in _BEFORE_FILTERS)
    ),
    description="Seeds of some shards, as their source gives them now.",
)

read_heldout = _job(
    "read_heldout",
    dg.AssetSelection.assets("heldout_problems"),
    description="The problems to score on, as their source gives them now.",
)

build_codeflow = _job(
    "build_codeflow",
    dg.AssetSelection.assets(*_assets(Partitioning.SHARD)),
    description="Problems, samples, trajectories and pairs of some shards.",
)

prepare_preferences = _job(
    "prepare_preferences",
    dg.AssetSelection.assets(*_assets(Partitioning.BASE_MODEL, _is_of_pairs)),
    description="Tokens, masks, data card and reference log-probabilities of a base model.",
)

train_checkpoints = _job(
    "train_checkpoints",
    dg.AssetSelection.assets(*_assets(Partitioning.CHECKPOINT)),
    description="A base model trained by a recipe.",
)

score_variants = _job(
    "score_variants",
    dg.AssetSelection.assets(*SCORES),
    description="A reference model or checkpoint on the held-out problems and the benchmarks.",
)
