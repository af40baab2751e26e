"""A new project's settings load, its problems are read, and its references pass their tests."""

import tomllib
from pathlib import Path

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_shard
from iterpref_assets.core.records import Problem, Split
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.seeds.problem_file import read_problem_file
from iterpref_assets.core.starter import Model, write_project
from iterpref_assets.settings import SETTINGS_FILE, load_settings

COMMIT = "0123456789" * 4
MODELS = [
    Model("lab"),
    Model("hub", f"owner/Some-Model@{COMMIT}"),
    Model("server", "some-model", "http://127.0.0.1:1/v1"),
]


def problems_of(folder: Path, model: Model = MODELS[0]) -> list[Problem]:
    write_project(folder, model)
    train = read_problem_file(folder / "problems" / "mine.jsonl", Split.TRAIN)
    return [*train, *read_problem_file(folder / "heldout.jsonl", Split.HELDOUT)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_the_settings_load(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTINGS_FILE, str(write_project(tmp_path / "mine", model)))
    settings = load_settings()
    assert settings.root == tmp_path / "mine" / "data"
    assert settings.seeds.shards() == ("mine",)


def test_a_model_in_a_folder_is_generator_and_base_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "My Model").mkdir()
    (tmp_path / "My Model" / "model.safetensors").touch()
    written = write_project(tmp_path / "mine", Model("local", str(tmp_path / "My Model")))
    monkeypatch.setenv(SETTINGS_FILE, str(written))
    settings = load_settings()
    assert settings.base_models["my-model"] == settings.generator
    assert settings.generator.path == tmp_path / "My Model"


def test_a_server_is_asked_for_few_answers_at_once(tmp_path: Path) -> None:
    """A server that 320 requests share answers none of them in time, where it is a small one."""
    written = tomllib.loads(write_project(tmp_path / "mine", MODELS[2]).read_text())
    assert written["sampling"]["max_in_flight"] == written["debugging"]["max_in_flight"] == 32


def test_a_hub_model_is_pinned_to_its_commit(tmp_path: Path) -> None:
    written = tomllib.loads(write_project(tmp_path / "mine", MODELS[1]).read_text())
    assert written["base_models"]["some-model"]["revision"] == COMMIT


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_three_kinds_of_tests_are_shown(model: Model, tmp_path: Path) -> None:
    kinds = [each.tests.kind for each in problems_of(tmp_path / "mine", model)[:3]]
    assert sorted(kinds) == ["code", "function", "stdio"]


def test_only_the_labs_model_is_given_a_problem_in_its_words(tmp_path: Path) -> None:
    given = {
        model.kind: {each.problem_id for each in problems_of(tmp_path / model.kind, model)}
        for model in MODELS
    }
    assert [kind for kind in given if "mine/uppercase-twice" in given[kind]] == ["lab"]


@pytest.mark.sandbox
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_every_reference_passes(model: Model, tmp_path: Path) -> None:
    with Sandbox(1) as sandbox:
        verdicts = {
            each.problem_id: sandbox.judge(each.reference, each.tests).message
            for each in problems_of(tmp_path / "mine", model)
            if not sandbox.judge(each.reference, each.tests).passed
        }
    assert verdicts == {}


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        write_project(tmp_path, Model("lab"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "owner/name", "owner/name@main"])
def test_a_hub_name_without_a_commit_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="COMMIT"):
        write_project(tmp_path / "mine", Model("hub", name))


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no safetensors"):
        write_project(tmp_path / "mine", Model("local", str(tmp_path)))


def test_the_labs_problems_have_names_of_words_that_the_labs_model_writes(tmp_path: Path) -> None:
    """It writes no other words, so a function of another name would never be defined."""
    known = {
        word
        for shard in ("lab-000", "lab-001")
        for problem in compose_shard(LabConfig(), shard)
        for word in str(problem.entry_point).split("_")
    }
    names = {each.problem_id: each.entry_point for each in problems_of(tmp_path / "mine")}
    asked = {names["mine/uppercase-twice"], names["mine/digits-but-first"]}
    assert {word for name in asked for word in str(name).split("_")} <= known
