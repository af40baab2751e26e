"""From a pair's name to everything that is on record about it."""

import json
from pathlib import Path

import polars as pl
import pytest
import typer
from published_shard import GENERATOR, PROBLEMS, SHARD, publish, publish_pairs
from typer.testing import CliRunner

from iterpref_assets.commands.provenance import provenance
from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.pairs.config import Negatives
from iterpref_assets.core.pairs.provenance import PairProvenance
from iterpref_assets.core.templates import PromptTemplate
from iterpref_assets.steps.generator import COMPLETIONS_FILE
from iterpref_assets.steps.heldout_problems import PROBLEMS_FILE
from iterpref_assets.steps.provenance import find_pair


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


def test_the_command_names_a_remote_generator_with_its_server(store, tmp_path, monkeypatch) -> None:
    remote = {"source": "remote", "model": "their-model", "server": "https://api.example/v1"}
    monkeypatch.setattr("published_shard.GENERATOR", remote)
    publish_pairs(store, tmp_path, Negatives.FIRST)
    monkeypatch.setenv("COLUMNS", "160")
    shown = command(monkeypatch, store, "p2#1:0-1")
    assert "remote their-model https://api.example/v1" in shown


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
    edited = PromptTemplate("lab_debug", "Mend it: $failure")
    monkeypatch.setattr("iterpref_assets.core.conversations.load_template", lambda _: edited)
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
    "text",
    [
        "p2#1", "Give 2.", "needs [2], got 1", "counting engine 1.0",
        f"someone/model {GENERATOR['revision']}",
    ],
)  # fmt: skip
def test_the_command_shows_what_people_look_for(found, store, monkeypatch, text: str) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert text in command(monkeypatch, store, "p2#1:0-1")
