"""Group experiment: the grid that tests the paper's claims, where the settings ask for it."""

from functools import partial

from iterpref_assets.core import tables
from iterpref_assets.defs import metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.experiment import EXPERIMENT_MODELS, EXPERIMENT_PAIRS
from iterpref_assets.steps.experiment_benchmarks import EXPERIMENT_BENCHMARKS
from iterpref_assets.steps.experiment_programs import EXPERIMENT_PROGRAMS
from iterpref_assets.steps.experiment_samples import EXPERIMENT_SAMPLES
from iterpref_assets.steps.experiment_scores import (
    EXPERIMENT_SAMPLED,
    EXPERIMENT_SCORES,
    EXPERIMENT_VALIDATION,
)
from iterpref_assets.steps.experiment_second import (
    EXPERIMENT_SECOND_MODELS,
    EXPERIMENT_SECOND_PAIRS,
    EXPERIMENT_SECOND_TRAJECTORIES,
)
from iterpref_assets.steps.experiment_stronger import EXPERIMENT_STRONGER

_asset = partial(
    stage_asset, group="experiment", pool="gpu", in_worker=True, describe=metadata.of_nothing
)

if EXPERIMENT_PAIRS.exists(load_settings()):
    experiment_samples = _asset(
        EXPERIMENT_SAMPLES,
        description="Independent samples, five of a problem or as many as debugging took calls.",
        kinds={"vllm", "bubblewrap", "parquet"},
        schema=tables.VERSIONS,
    )
    experiment_pairs = _asset(
        EXPERIMENT_PAIRS,
        description="Pairs of one set, with their reference log-probabilities.",
        kinds={"torch", "parquet"},
        schema=tables.TOKENIZED_PAIRS,
    )
    experiment_models = _asset(
        EXPERIMENT_MODELS,
        description="The base model trained by one arm at one learning rate with one seed.",
        kinds={"torch", "safetensors"},
    )
    experiment_second_trajectories = _asset(
        EXPERIMENT_SECOND_TRAJECTORIES,
        description="Samples and debugging rounds of a trained model, shard by shard.",
        kinds={"vllm", "bubblewrap", "parquet"},
        schema=tables.VERSIONS,
    )
    experiment_second_pairs = _asset(
        EXPERIMENT_SECOND_PAIRS,
        description="Pairs of a trained model's own, with its log-probabilities as the reference.",
        kinds={"torch", "parquet"},
        schema=tables.TOKENIZED_PAIRS,
    )
    experiment_second_models = _asset(
        EXPERIMENT_SECOND_MODELS,
        description="A trained model, trained further on its own pairs.",
        kinds={"torch", "safetensors"},
    )
    experiment_validation = _asset(
        EXPERIMENT_VALIDATION,
        description="Scores of one model of the grid on the problems that rates are chosen on.",
        kinds={"transformers", "bubblewrap", "parquet"},
        schema=tables.SCORES,
    )
    experiment_scores = _asset(
        EXPERIMENT_SCORES,
        description="Scores of one model of the grid on the problems that are reported.",
        kinds={"transformers", "bubblewrap", "parquet"},
        schema=tables.SCORES,
    )

if EXPERIMENT_PROGRAMS.exists(load_settings()):
    experiment_programs = _asset(
        EXPERIMENT_PROGRAMS,
        pool="sandbox",
        description="Debugged programs that another machine recorded, each run anew.",
        kinds={"bubblewrap", "parquet"},
        schema=tables.VERSIONS,
    )

if EXPERIMENT_SAMPLED.exists(load_settings()):
    experiment_sampled = _asset(
        EXPERIMENT_SAMPLED,
        description="Samples of one model of the grid on the problems that are reported.",
        kinds={"transformers", "bubblewrap", "parquet"},
        schema=tables.SCORES,
    )

if EXPERIMENT_BENCHMARKS.exists(load_settings()):
    experiment_benchmarks = _asset(
        EXPERIMENT_BENCHMARKS,
        description="Scores of one model of the grid on HumanEval+ and MBPP+.",
        kinds={"transformers", "bubblewrap", "parquet"},
        schema=tables.SCORES,
    )

if EXPERIMENT_STRONGER.exists(load_settings()):
    experiment_stronger = _asset(
        EXPERIMENT_STRONGER,
        pool="sandbox",
        description="Programs of one model that pass their problem's tests, by stronger ones.",
        kinds={"bubblewrap", "parquet"},
        schema=tables.STRONGER,
    )
