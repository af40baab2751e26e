"""Group problems: what to train on and what to score on, and how good their tests are."""

from iterpref_assets.core import tables
from iterpref_assets.core.seeds.lab import LabSeeds
from iterpref_assets.defs import conditions, metadata
from iterpref_assets.defs.stage import stage_asset
from iterpref_assets.settings import load_settings
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS
from iterpref_assets.steps.quality import TEST_QUALITY
from iterpref_assets.steps.raw_seeds import RAW_SEEDS
from iterpref_assets.steps.seed_problems import SEED_PROBLEMS
from iterpref_assets.steps.synthetic_tasks import SYNTHETIC_TASKS, are_synthesised

_SYNTHESISED = are_synthesised(load_settings())
"""Programs that a generator wrote are run in the sandbox, with their tests."""
_RUNS_REFERENCES = not isinstance(load_settings().seeds, LabSeeds)
"""Reference solutions that come from elsewhere are run before they are believed."""
_ASKS_A_JUDGE = load_settings().test_quality.judge is not None

if _SYNTHESISED:
    synthetic_tasks = stage_asset(
        SYNTHETIC_TASKS,
        description="Tasks, programs and tests that the generator writes about feature subtrees.",
        group="problems",
        kinds={"vllm", "parquet"},
        pool="gpu",
        in_worker=True,
        describe=metadata.of_completions,
        schema=tables.COMPLETIONS,
    )

heldout_problems = stage_asset(
    HELDOUT_PROBLEMS,
    description="Problems that no model is trained on, to score the reference and checkpoints.",
    group="problems",
    kinds={"python", "parquet"},
    describe=metadata.of_problems,
    schema=tables.PROBLEMS,
)

raw_seeds = stage_asset(
    RAW_SEEDS,
    description="Problems as their source gives them, and which of its records give none.",
    group="problems",
    kinds={"python", "parquet"},
    pool="sandbox" if _SYNTHESISED else None,
    in_worker=_SYNTHESISED,
    describe=metadata.of_raw_seeds,
    schema=tables.PROBLEMS,
)

seed_problems = stage_asset(
    SEED_PROBLEMS,
    description="Training problems: raw seeds that are new, no benchmark's, and pass their tests.",
    group="problems",
    kinds={"python", "parquet"},
    pool="sandbox" if _RUNS_REFERENCES else None,
    in_worker=_RUNS_REFERENCES,
    automation=conditions.MAKE,
    describe=metadata.of_seeds,
    schema=tables.PROBLEMS,
)

test_quality = stage_asset(
    TEST_QUALITY,
    description="Coverage, mutation score, flakiness and a judge's ratings of a sample's tests.",
    group="problems",
    kinds={"bubblewrap", "parquet"},
    pool="gpu" if _ASKS_A_JUDGE else "sandbox",
    in_worker=True,
    section="test_quality",
    describe=metadata.of_test_quality,
    schema=tables.TEST_QUALITY,
)
