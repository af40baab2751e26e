"""Jobs for the shell and for schedules: each stretch of the chain with partitions of one kind."""

import functools

import dagster as dg

from iterpref_assets.defs.problems import synthesised
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.benchmarks import score_assets_of

SCORES = ("heldout_scores", *(asked.asset for asked in score_assets_of(load_settings())))
"""Every asset of scores that there is."""

_job = functools.partial(dg.define_asset_job, tags={"dagster/priority": "-1"})
"""Schedules, sensors and job backfills launch jobs by the dozen: in the queue of runs, what
somebody materializes by hand goes before them."""

_RAW_SEEDS = ("synthetic_tasks", "raw_seeds") if synthesised else ("raw_seeds",)

read_seeds = _job(
    "read_seeds",
    dg.AssetSelection.assets(*_RAW_SEEDS),
    description="Seeds of some shards, as their source gives them now.",
)

read_heldout = _job(
    "read_heldout",
    dg.AssetSelection.assets("heldout_problems"),
    description="The problems to score on, as their source gives them now.",
)

build_codeflow = _job(
    "build_codeflow",
    dg.AssetSelection.assets(
        *_RAW_SEEDS, "seed_problems", "initial_samples", "debug_trajectories", "codeflow_pairs"
    ),
    description="Problems, samples, trajectories and pairs of some shards.",
)

prepare_preferences = _job(
    "prepare_preferences",
    dg.AssetSelection.assets("preference_pairs", "data_cards", "reference_logprobs"),
    description="Tokens, masks, data card and reference log-probabilities of a base model.",
)

train_checkpoints = _job(
    "train_checkpoints",
    dg.AssetSelection.assets("checkpoints"),
    description="A base model trained by a recipe.",
)

score_variants = _job(
    "score_variants",
    dg.AssetSelection.assets(*SCORES),
    description="A reference model or checkpoint on the held-out problems and the benchmarks.",
)
