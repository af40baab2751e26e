"""A misspelt key of the settings gets the nearest one, wherever it stands."""

import json
from typing import Any

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.settings_keys import NAME, Key, keys_of
from iterpref_assets.core.settings_page import explanation
from iterpref_assets.settings import Settings, load_settings

KEYS = keys_of(Settings)


def set_in(tree: dict[str, Any], path: list[str], value: Any) -> None:
    *sections, last = ("mine" if part == NAME else part for part in path)
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[last] = value


def misspelt(key: Key) -> dict[str, Any]:
    """Settings that hold the key with a letter too much or too few, in sections of its kind."""
    *section, name = key.path.split(".")
    tree: dict[str, Any] = {}
    set_in(tree, [*section, name[:-1] if len(name) > 3 else f"{name}x"], 1)
    for told in filter(None, key.kind.split(", ")):
        path, _, kind = told.partition(" = ")
        set_in(tree, path.split("."), json.loads(kind))
    return tree


def toml(tree: dict[str, Any]) -> str:
    def inline(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name} = {inline(each)}" for name, each in value.items()) + "}"
        return json.dumps(value)

    return "\n".join(f"{name} = {inline(value)}" for name, value in tree.items())


def test_every_key_is_meant_by_what_is_nearly_its_name(tmp_path, monkeypatch):
    file = tmp_path / "mine.toml"
    monkeypatch.setenv("ITERPREF_SETTINGS", str(file))
    named = [key for key in KEYS if not key.names_kind]
    assert len(named) > 300
    for key in named:
        file.write_text(toml(misspelt(key)))
        with pytest.raises(InputError) as refusal:
            load_settings()
        meant = key.path.replace(NAME, "mine")
        assert "Did you mean" in refusal.value.remedy, key
        assert meant in refusal.value.remedy, key


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('engine = {kid = "openai"}', "Did you mean engine.kind?"),
        ('seeds = {knd = "files"}', "Did you mean seeds.kind?"),
        ('base_models = {mine = {sorce = "local"}}', "Set base_models.mine.source"),
    ],
)
def test_a_misspelt_kind_is_told_too(tmp_path, monkeypatch, text, remedy):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    monkeypatch.setenv("ITERPREF_SETTINGS", str(file))
    with pytest.raises(InputError, match=remedy):
        load_settings()


def test_a_misspelt_key_within_a_variable_is_told(monkeypatch):
    monkeypatch.setenv("ITERPREF_PAIRS__JUDGE__ENGINE__KIND", "openai")
    monkeypatch.setenv("ITERPREF_PAIRS__JUDGE__ENGINE__BASE_UR", "http://localhost/v1")
    with pytest.raises(InputError, match=r"Did you mean pairs\.judge\.engine\.base_url"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ITERPREF_DEBUGGING__MAX_RONDS", "3"),
        ("ITERPREF_DEBUGGING__MAX_ROUNDS", "many"),
        ("ITERPREF_SEEDS__FOLDR", "x"),
        ("ITERPREF_ENGINE__KIND", "vlm"),
        ("ITERPREF_BASE_MODELS__mine__SOURCE", "lcal"),
        ("ITERPREF_DEBUGGING", '{"max_ronds": 3}'),
        ("ITERPREF_DEBUGGING", '{"max_rounds": "many"}'),
        ("ITERPREF_ENGINE", '{"kind": "vlm"}'),
        ("ITERPREF_ENGINE", '{"kind": "openai", "base_ur": "http://localhost/v1"}'),
        ("ITERPREF_PAIRS", '{"judge": {"engine": {"kind": "opnai"}}}'),
        ("ITERPREF_PAIRS__JUDGE", '{"engine": {"kind": "opnai"}}'),
        ("ITERPREF_VARIANTS", '["reference", 3]'),
    ],
)
def test_a_bad_variable_is_named_and_not_the_file_beside_it(tmp_path, monkeypatch, variable, value):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[seeds]\nkind = "files"\nfolder = "."\nheldout = "none"\n[debugging]\nmax_tokens = 5\n'
    )
    monkeypatch.setenv("ITERPREF_SETTINGS", str(file))
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError) as refusal:
        load_settings()
    assert refusal.value.file == variable


@pytest.mark.parametrize(
    ("variable", "value", "field", "remedy"),
    [
        ("ITERPREF_ENGINE", "{bad", "engine", "ITERPREF_ENGINE__KIND"),
        ("ITERPREF_PAIRS", "{bad", "pairs", "ITERPREF_PAIRS__NEGATIVES"),
        ("ITERPREF_PAIRS__JUDGE", "{bad", "pairs.judge", "ITERPREF_PAIRS__JUDGE__ENGINE__KIND"),
        ("ITERPREF_DEBUGGING", "", "debugging", "ITERPREF_DEBUGGING__"),
        ("ITERPREF_VARIANTS", "focal_rpo", "variants", '["reference", "focal_rpo"]'),
        ("ITERPREF_PACKAGES", "numpy,pandas", "packages", '["one", "two"]'),
        ("ITERPREF_DEBUGGING__ROUND_TEMPERATURES", "1,2", "debugging.round_temperatures", "[1, 2]"),
        ("ITERPREF_ENGINE__EXTRA_BODY", "{x", "engine.extra_body", "JSON object"),
        ("ITERPREF_OPERATIONS__TAGS", "foo", "operations.tags", "JSON object"),
        ("ITERPREF_BASE_MODELS", "lab", "base_models", "ITERPREF_BASE_MODELS__NAME__"),
        ("iterpref_engine", "{bad", "engine", "ITERPREF_ENGINE__KIND"),
    ],
)  # fmt: skip
def test_a_variable_that_holds_no_json_is_named_with_what_to_write(
    monkeypatch, variable, value, field, remedy
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match="is no JSON") as refusal:
        load_settings()
    assert (refusal.value.file, refusal.value.field) == (variable, field)
    assert remedy in refusal.value.remedy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('engine = "vllm"', "'vllm' is no section"),
        ("sampling = 3", "3 is no section"),
        ('pairs = {judge = "gpt"}', "'gpt' is no section"),
        ('base_models = "lab"', "'lab' is no section"),
        ('base_models = {mine = "lab"}', "'lab' is no section"),
        ('variants = "focal_rpo"', "'focal_rpo' is no list"),
    ],
)
def test_text_where_a_section_or_a_list_belongs_is_told_in_a_settings_files_words(
    tmp_path, monkeypatch, text, problem
):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    monkeypatch.setenv("ITERPREF_SETTINGS", str(file))
    with pytest.raises(InputError) as refusal:
        load_settings()
    assert refusal.value.problem == problem


def test_a_bad_key_of_the_file_is_named_with_the_file(tmp_path, monkeypatch):
    file = tmp_path / "mine.toml"
    file.write_text("[debugging]\nmax_ronds = 5\n")
    monkeypatch.setenv("ITERPREF_SETTINGS", str(file))
    monkeypatch.setenv("ITERPREF_DEBUGGING__MAX_ROUNDS", "3")
    with pytest.raises(InputError) as refusal:
        load_settings()
    assert refusal.value.file == str(file)


def test_the_variable_of_a_key_goes_before_that_of_its_section(monkeypatch):
    monkeypatch.setenv("ITERPREF_DEBUGGING", '{"max_rounds": 3}')
    monkeypatch.setenv("ITERPREF_DEBUGGING__MAX_ROUNDS", "many")
    with pytest.raises(InputError) as refusal:
        load_settings()
    assert refusal.value.file == "ITERPREF_DEBUGGING__MAX_ROUNDS"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ITERPREF_ENGINE__KIND", "transformers"),
        ("ITERPREF_PAIRS", '{"judge": {"model": "small"}}'),
    ],
)
def test_a_variable_that_sets_another_key_is_not_named(tmp_path, monkeypatch, variable, value):
    file = tmp_path / "mine.toml"
    file.write_text('pairs = {judge = {model = "small", engine = {kind = "opnai"}}}\n')
    monkeypatch.setenv("ITERPREF_SETTINGS", str(file))
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError) as refusal:
        load_settings()
    assert (refusal.value.file, refusal.value.field) == (str(file), "pairs.judge.engine.kind")


def test_the_kinds_that_there_are_stand_as_a_settings_file_writes_them(monkeypatch):
    monkeypatch.setenv("ITERPREF_ENGINE__KIND", "none-of-them")
    with pytest.raises(InputError) as refusal:
        load_settings()
    told = "'none-of-them' is none of vllm, openai, transformers, replay"
    assert refusal.value.problem == told


def test_a_misspelt_name_of_the_settings_file_is_told(monkeypatch):
    monkeypatch.setenv("ITERPREF_SETTING", "mine.toml")
    with pytest.raises(InputError, match="Did you mean ITERPREF_SETTINGS"):
        load_settings()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("debuging", "debugging"),
        ("training.lerning_rate", "training.learning_rate"),
        ("engine.max_model_le", "engine.max_model_len"),
        ("pairs.judge.engine.base_ur", "pairs.judge.engine.base_url"),
    ],
)
def test_explain_names_the_nearest_key_at_every_depth(written, meant):
    with pytest.raises(InputError) as refusal:
        list(explanation(Settings, written))
    assert meant in refusal.value.remedy


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ITERPREF_EVALUATION__KS", '[1, "a"]'),
        ("ITERPREF_BASE_MODELS__LAB", "foo"),
        ("ITERPREF_OPERATIONS__STEP_HOURS", "inf"),
    ],
)
def test_the_key_that_a_remedy_tells_to_look_up_is_one(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match="iterpref settings explain") as refusal:
        load_settings()
    key = refusal.value.remedy.partition("settings explain ")[2]
    assert next(explanation(Settings, key)).startswith(key)
