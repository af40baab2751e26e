"""From a pair's name to everything that is on record about it."""

import json
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from iterpref_assets.commands.provenance import provenance
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.debugging.config import DebugConfig
from iterpref_assets.core.debugging.loop import debug_problems
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import Negatives, PairConfig
from iterpref_assets.core.pairs.provenance import PairProvenance
from iterpref_assets.core.prompts import PROMPT_VERSION, fenced
from iterpref_assets.core.records import Case, FunctionTests, Problem, Tests
from iterpref_assets.core.sampling import SamplingConfig, sample_problems
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict
from iterpref_assets.core.seeds.frames import problems_to_frame
from iterpref_assets.steps.generation import COMPLETIONS_FILE, VERSIONS_FILE
from iterpref_assets.steps.pairs import PAIRS_FILE
from iterpref_assets.steps.problems import PROBLEMS_FILE
from iterpref_assets.steps.provenance import find_pair

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
GENERATOR = {"source": "hub", "repository": "someone/model", "revision": "abc123"}


class CountingEngine:
    """Answers with sample plus round, so that some trajectories pass late and some at once."""

    description = "counting engine 1.0"

    async def generate(self, request: Request) -> Completion:
        _, round_, sample = request.key.split("#")
        text = fenced(f"answer = {int(round_) + int(sample)}")
        return Completion(request.key, text, 9, 4, FinishReason.STOP, request.seed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


def judge(code: str, tests: Tests) -> Execution:
    assert isinstance(tests, FunctionTests)
    given, needed = code.removeprefix("answer = "), tests.cases[0].expected
    if given == needed:
        return Execution(Verdict.PASSED)
    return Execution(Verdict.WRONG_ANSWER, message=f"needs [{needed}], got {given}")


def publish(
    store: ArtifactStore, asset: str, config: dict, *files: tuple[str, pl.DataFrame, tables.Schema],
    parents: tuple[str, ...] = (),
) -> None:  # fmt: skip
    keys = tuple(ArtifactKey(parent, SHARD) for parent in parents)
    with store.publishing(Plan(ArtifactKey(asset, SHARD), "1", config, keys)) as staging:
        for name, frame, schema in files:
            tables.write_table(frame, schema, staging.folder / name)


def publish_pairs(store: ArtifactStore, folder: Path, negatives: Negatives) -> pl.DataFrame:
    """A shard of debugged problems and its pairs, as the chain publishes them."""
    config = SamplingConfig(samples_per_problem=3)
    initial = sample_problems(PROBLEMS, CountingEngine(), config, folder / "samples")
    outcome = debug_problems(
        PROBLEMS, initial, CountingEngine(), judge, DebugConfig(), folder / "debugging"
    )
    problems = problems_to_frame(PROBLEMS)
    pairs = build_pairs(outcome.versions, problems, PairConfig(negatives=negatives))
    publish(store, "seed_problems", {}, (PROBLEMS_FILE, problems, tables.PROBLEMS))
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
        {"prompts": PROMPT_VERSION, "generator": GENERATOR},
        (VERSIONS_FILE, outcome.versions, tables.VERSIONS),
        (COMPLETIONS_FILE, outcome.completions, tables.COMPLETIONS),
        parents=("seed_problems", "initial_samples"),
    )
    publish(
        store,
        "codeflow_pairs",
        {},
        (PAIRS_FILE, pairs, tables.PAIRS),
        parents=("debug_trajectories", "seed_problems"),
    )
    return pairs


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "data")


@pytest.fixture
def found(store: ArtifactStore, tmp_path: Path) -> PairProvenance:
    publish_pairs(store, tmp_path, Negatives.FIRST)
    return find_pair(store, "p2#1:0-1")


def test_every_version_comes_with_what_was_asked_answered_and_found(found) -> None:
    (trajectory,) = found.trajectories
    first, second = trajectory.versions
    assert (first.prompt, first.code) == ((("user", "Give 2."),), "answer = 1")
    assert (first.verdict, first.feedback) == ("wrong_answer", "needs [2], got 1")
    assert second.prompt == (
        ("user", "Give 2."),
        ("assistant", "```python\nanswer = 1\n```"),
        ("user", "The program fails:\nneeds [2], got 1\n\nFix it."),
    )
    assert (second.code, second.verdict) == ("answer = 2", "passed")


def test_completions_carry_their_engine_seed_and_tokens(found, store) -> None:
    answer = found.trajectories[0].versions[1].completion
    path = store.current(ArtifactKey("debug_trajectories", SHARD)).path(COMPLETIONS_FILE)
    row = pl.read_parquet(path).filter(key="p2#1#1").row(0, named=True)
    assert (answer.engine, answer.prompt_tokens) == ("counting engine 1.0", 9)
    assert (answer.seed, answer.completion_tokens) == (row["seed"], 4)


def test_the_seed_problem_and_the_models_revision_are_named(found) -> None:
    assert found.problem == PROBLEMS[0]
    configs = {artifact.name: artifact.config for artifact in found.artifacts}
    assert configs["debug_trajectories/a"]["generator"] == GENERATOR
    assert list(configs) == [
        "codeflow_pairs/a", "debug_trajectories/a", "seed_problems/a", "initial_samples/a",
    ]  # fmt: skip


def test_a_pair_of_samples_has_two_trajectories(store, tmp_path) -> None:
    pairs = publish_pairs(store, tmp_path, Negatives.PASS_RATE)
    row = pairs.filter(problem_id="p2").row(0, named=True)
    chosen, rejected = find_pair(store, row["pair_id"]).trajectories
    assert (chosen.trajectory_id, chosen.versions[0].code) == ("p2#2", row["chosen"])
    assert rejected.versions[0].code == row["rejected"]


def test_the_versions_that_a_pair_was_made_of_are_read_not_newer_ones(found, store) -> None:
    publish(
        store,
        "seed_problems",
        {},
        (PROBLEMS_FILE, problems_to_frame(PROBLEMS[1:]), tables.PROBLEMS),
    )
    assert find_pair(store, "p2#1:0-1") == found


def test_prompts_of_another_template_are_not_made_up(store, tmp_path, monkeypatch) -> None:
    publish_pairs(store, tmp_path, Negatives.FIRST)
    monkeypatch.setattr("iterpref_assets.core.pairs.provenance.PROMPT_VERSION", "next")
    versions = find_pair(store, "p2#1:0-1").trajectories[0].versions
    assert {version.prompt for version in versions} == {None}


def test_an_unknown_pair_is_named(store, tmp_path) -> None:
    publish_pairs(store, tmp_path, Negatives.FIRST)
    with pytest.raises(InputError, match="no pair 'nobody'"):
        find_pair(store, "nobody")


def command(monkeypatch, store: ArtifactStore, *arguments: str) -> str:
    monkeypatch.setenv("ITERPREF_ROOT", str(store.root))
    app = typer.Typer()
    app.command()(provenance)
    result = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_prints_everything_as_json(found, store, monkeypatch) -> None:
    printed = json.loads(command(monkeypatch, store, "p2#1:0-1", "--json"))
    assert PairProvenance.model_validate(printed) == found


@pytest.mark.parametrize(
    "text", ["p2#1", "Give 2.", "needs [2], got 1", "counting engine 1.0", "someone/model abc123"]
)
def test_the_command_shows_what_people_look_for(found, store, monkeypatch, text: str) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert text in command(monkeypatch, store, "p2#1:0-1")
