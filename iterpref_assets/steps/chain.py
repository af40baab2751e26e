"""The whole chain: every step by its asset's name, in the order of their dependencies."""

from __future__ import annotations

from iterpref_assets.core.errors import InputError
from iterpref_assets.steps import (
    benchmarks,
    checkpoints,
    data_card,
    evaluation,
    heldout_problems,
    leaderboard,
    models,
    pairs,
    quality,
    raw_seeds,
    report,
    seed_problems,
    synthesis,
    trajectories,
)
from iterpref_assets.steps.step import Step

CHAIN: tuple[Step, ...] = (
    heldout_problems.HELDOUT_PROBLEMS,
    models.LAB_BASE_MODEL,
    models.BASE_MODELS,
    synthesis.SYNTHETIC_TASKS,
    raw_seeds.RAW_SEEDS,
    seed_problems.SEED_PROBLEMS,
    quality.TEST_QUALITY,
    trajectories.INITIAL_SAMPLES,
    trajectories.DEBUG_TRAJECTORIES,
    pairs.CODEFLOW_PAIRS,
    pairs.PREFERENCE_PAIRS,
    data_card.DATA_CARDS,
    checkpoints.REFERENCE_LOGPROBS,
    checkpoints.CHECKPOINTS,
    evaluation.HELDOUT_SCORES,
    *benchmarks.BENCHMARK_TASKS,
    *benchmarks.BENCHMARK_SCORES,
    leaderboard.LEADERBOARD,
    report.EXPERIMENT_REPORTS,
)

_BY_ASSET = {step.asset: step for step in CHAIN}


def step_of(asset: str) -> Step:
    """The step that publishes an asset.

    Raises:
        InputError: where no step does.
    """
    if asset not in _BY_ASSET:
        raise InputError(
            f"unknown asset {asset!r}", remedy=f"Use one of {', '.join(sorted(_BY_ASSET))}"
        )
    return _BY_ASSET[asset]
