"""A shard of debugged problems, published as the chain does it; steps' tests import this module."""

import asyncio
from pathlib import Path

import polars as pl
from debugging_doubles import LAB
from drawn_samples import sample_problems
from engine_double import OpenEngine

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.debugging.loop import DebugOutcome, run_debugging
from iterpref_assets.core.debugging.trajectory import DebugConfig
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import Negatives, PairConfig
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.records import Case, FunctionTests, Problem, Tests
from iterpref_assets.core.sampling import SamplingConfig
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.pairs import PAIRS_FILE
from iterpref_assets.steps.seed_problems import DROPPED_FILE
from iterpref_assets.steps.trajectories import VERSIONS_FILE

SHARD = "a"
PROBLEMS = [
    Problem(
        problem_id=f"p{number}",
        source="test",
        prompt=f"Give {number}.",
        tests=FunctionTests(entry_point="f", cases=(Case(arguments="()", expected=str(number)),)),
    )
    for number in (2, 3)
]
GENERATOR = {"source": "hub", "repository": "someone/model", "revision": "0123abcd" * 5}


class CountingEngine(OpenEngine):
    """Answers with sample plus round, so that some trajectories pass late and some at once."""

    description = "counting engine 1.0"

    async def generate(self, request: Request) -> Completion:
        _, round_, sample = request.key.split("#")
        text = fenced(f"answer = {int(round_) + int(sample)}")
        return Completion(request.key, text, 9, 4, FinishReason.STOP, request.seed)


def judge(code: str, tests: Tests) -> Execution:
    assert isinstance(tests, FunctionTests)
    given, needed = code.removeprefix("answer = "), tests.cases[0].expected
    if given == needed:
        return Execution(Verdict.PASSED)
    return Execution(Verdict.WRONG_ANSWER, message=f"needs [{needed}], got {given}")


async def debug(initial: pl.DataFrame, config: DebugConfig, work_dir: Path) -> DebugOutcome:
    async with CountingEngine() as engine:
        return await run_debugging(PROBLEMS, initial, engine, judge, config, LAB, work_dir)


def publish(
    store: ArtifactStore, asset: str, config: dict, *files: tuple[str, pl.DataFrame, tables.Schema],
    parents: tuple[str, ...] = (), figures: dict | None = None,
) -> None:  # fmt: skip
    keys = tuple(ArtifactKey(parent, SHARD) for parent in parents)
    with store.publishing(Plan(ArtifactKey(asset, SHARD), "1", config, keys)) as staging:
        for name, frame, schema in files:
            tables.write_table(frame, schema, staging.folder / name)
        staging.figures.update(figures or {})


def publish_trajectories(store: ArtifactStore, folder: Path) -> pl.DataFrame:
    """The seed problems, samples and trajectories of the shard; their versions."""
    config = SamplingConfig(samples_per_problem=3)
    initial = sample_problems(PROBLEMS, CountingEngine(), config, LAB, folder / "samples")
    debugging = DebugConfig()
    outcome = asyncio.run(debug(initial, debugging, folder / "debugging"))
    publish(
        store,
        "seed_problems",
        {"benchmarks": {"mbpp": "digest"}, "seed_filter": {"allow_training_on": []}},
        (PROBLEMS_FILE, problems_to_frame(PROBLEMS), tables.PROBLEMS),
        (DROPPED_FILE, pl.DataFrame(schema=tables.DROPPED_SEEDS), tables.DROPPED_SEEDS),
    )
    publish(
        store,
        "initial_samples",
        {},
        (COMPLETIONS_FILE, initial, tables.COMPLETIONS),
        parents=("seed_problems",),
    )
    publish(
        store,
        "debug_trajectories",
        {
            "prompts": LAB.identity(),
            "generator": GENERATOR,
            "debugging": debugging.model_dump(mode="json"),
        },
        (VERSIONS_FILE, outcome.versions, tables.VERSIONS),
        (COMPLETIONS_FILE, outcome.completions, tables.COMPLETIONS),
        parents=("seed_problems", "initial_samples"),
        figures=outcome.figures,
    )
    return outcome.versions


def publish_pairs(store: ArtifactStore, folder: Path, negatives: Negatives) -> pl.DataFrame:
    """The shard with its pairs."""
    versions = publish_trajectories(store, folder)
    pairs = build_pairs(versions, problems_to_frame(PROBLEMS), PairConfig(negatives=negatives))
    publish(
        store,
        "codeflow_pairs",
        {},
        (PAIRS_FILE, pairs, tables.PAIRS),
        parents=("debug_trajectories", "seed_problems"),
    )
    return pairs
