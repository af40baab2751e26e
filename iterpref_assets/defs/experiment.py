"""Group experiment: the grid that tests the paper's claims, where the settings ask for it."""

from iterpref_assets.core import tables
from iterpref_assets.defs import metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.experiment import (
    EXPERIMENT_MODELS,
    EXPERIMENT_PAIRS,
    EXPERIMENT_SCORES,
    EXPERIMENT_VALIDATION,
)
from iterpref_assets.steps.experiment_samples import EXPERIMENT_SAMPLES

if EXPERIMENT_PAIRS.exists(load_settings()):
    experiment_samples = stage_asset(
        EXPERIMENT_SAMPLES,
        description="Independent samples, for as many LLM calls as a shard's trajectories took.",
        group="experiment",
        kinds={"vllm", "bubblewrap", "parquet"},
        pool="gpu",
        in_worker=True,
        describe=metadata.of_nothing,
        schema=tables.VERSIONS,
    )
    experiment_pairs = stage_asset(
        EXPERIMENT_PAIRS,
        description="Pairs of one set, with their reference log-probabilities.",
        group="experiment",
        kinds={"torch", "parquet"},
        pool="gpu",
        in_worker=True,
        describe=metadata.of_nothing,
        schema=tables.TOKENIZED_PAIRS,
    )
    experiment_models = stage_asset(
        EXPERIMENT_MODELS,
        description="The base model trained by one arm at one learning rate with one seed.",
        group="experiment",
        kinds={"torch", "safetensors"},
        pool="gpu",
        in_worker=True,
        describe=metadata.of_nothing,
    )
    experiment_validation = stage_asset(
        EXPERIMENT_VALIDATION,
        description="Scores of one model of the grid on the problems that rates are chosen on.",
        group="experiment",
        kinds={"transformers", "bubblewrap", "parquet"},
        pool="gpu",
        in_worker=True,
        describe=metadata.of_nothing,
        schema=tables.SCORES,
    )
    experiment_scores = stage_asset(
        EXPERIMENT_SCORES,
        description="Scores of one model of the grid on the problems that are reported.",
        group="experiment",
        kinds={"transformers", "bubblewrap", "parquet"},
        pool="gpu",
        in_worker=True,
        describe=metadata.of_nothing,
        schema=tables.SCORES,
    )
