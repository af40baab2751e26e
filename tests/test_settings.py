"""Settings come from arguments, variables and a file, and unknown keys are refused."""

import json
import re
from pathlib import Path

import pytest

from iterpref_assets.core.conversations import LAB_PROMPTS
from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import (
    SETTINGS_FILE,
    WEBHOOK,
    LabModel,
    LocalModel,
    load_settings,
)

ROOT = Path(__file__).resolve().parents[1]


def test_a_nested_variable_sets_one_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_DEBUGGING__MAX_ROUNDS", "3")
    assert load_settings().debugging.max_rounds == 3


def test_a_file_sets_what_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[debugging]\nmax_rounds = 2\n")
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    assert load_settings().debugging.max_rounds == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_with_a_byte_order_mark_is_read(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[debugging]\nmax_rounds = 2\n", encoding=encoding)
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    assert load_settings().debugging.max_rounds == 2


@pytest.mark.parametrize(
    ("text", "field", "told"),
    [
        ('seeds = {kind = "file"}', "seeds.kind", "'file' is none of lab, files"),
        ('seeds = {kind = "file"}', "seeds.kind", "Did you mean files?"),
        ('seeds = {kind = "files"}', "seeds.folder", "not set"),
        (
            "debugging = {max_rounds = 'five'}",
            "debugging.max_rounds",
            "explain debugging.max_rounds",
        ),
        ('base_models = {a = {source = "local"}}', "base_models.a.path", "not set"),
    ],
)
def test_a_place_is_named_as_the_file_writes_it(
    text: str, field: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    with pytest.raises(InputError, match=re.escape(told)) as caught:
        load_settings()
    assert caught.value.field == field


def test_a_variable_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[debugging]\nmax_rounds = 2\n")
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    monkeypatch.setenv("ITERPREF_DEBUGGING__MAX_ROUNDS", "3")
    assert load_settings().debugging.max_rounds == 3


def test_an_unknown_key_is_named_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[debugging]\nrounds = 2\n")
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    with pytest.raises(InputError) as caught:
        load_settings()
    assert caught.value.field == "debugging.rounds"
    assert str(path) in str(caught.value)


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_DEBUGING__MAX_ROUNDS", "3")
    with pytest.raises(InputError, match="ITERPREF_DEBUGING__MAX_ROUNDS"):
        load_settings()


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTINGS_FILE, "absent.toml")
    with pytest.raises(InputError, match=r"absent\.toml"):
        load_settings()


def test_overrides_of_a_run_replace_fields_of_one_section() -> None:
    settings = load_settings()
    changed = settings.overridden("debugging", {"max_rounds": 1})
    assert changed.debugging == settings.debugging.model_copy(update={"max_rounds": 1})
    assert changed.sampling == settings.sampling


def test_a_misspelt_override_is_named() -> None:
    with pytest.raises(InputError) as caught:
        load_settings().overridden("debugging", {"max_round": 1})
    assert caught.value.field == "debugging.max_round"


def test_a_run_may_take_another_kind_of_engine_than_the_file_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[pairs.judge]\nmodel = "a"\n[pairs.judge.engine]\nkind = "openai"\n'
        'base_url = "http://localhost:9/v1"\n[engine]\nkind = "transformers"\n'
    )
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    changed = load_settings().overridden("pairs", {"judge": {"engine": {"kind": "vllm"}}})
    judge = changed.pairs.judge
    assert judge is not None
    assert (judge.model, judge.engine.kind.value) == ("a", "vllm")


def test_a_run_may_take_another_kind_of_engine_than_the_environment_sets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ITERPREF_PAIRS__JUDGE__ENGINE__KIND", "openai")
    monkeypatch.setenv("ITERPREF_PAIRS__JUDGE__ENGINE__BASE_URL", "http://localhost:9/v1")
    monkeypatch.setenv("ITERPREF_PAIRS__JUDGE__MODEL", "a")
    changed = load_settings().overridden("pairs", {"judge": {"engine": {"kind": "vllm"}}})
    judge = changed.pairs.judge
    assert judge is not None
    assert judge.engine.kind.value == "vllm"


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.toml")), ids=lambda p: p.name)
def test_every_example_loads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    assert "lab" not in load_settings().base_models


def test_setting_one_field_of_a_section_keeps_the_labs_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load_settings().training
    monkeypatch.setenv("ITERPREF_TRAINING__EPOCHS", "7")
    assert load_settings().training == before.model_copy(update={"epochs": 7})


def test_the_labs_texts_come_with_the_options_that_its_model_was_trained_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ITERPREF_PROMPTS__TEMPLATES", "lab")
    settings = load_settings()
    assert settings.prompts == LAB_PROMPTS
    assert settings.prompts_for(LocalModel(path=Path("copy"))) == settings.prompts_for(LabModel())


def test_an_option_that_the_labs_texts_do_not_have_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ITERPREF_PROMPTS__TEMPLATES", "lab")
    monkeypatch.setenv("ITERPREF_PROMPTS__SYSTEM", "Be brief.")
    with pytest.raises(InputError, match="leave system out"):
        load_settings()


@pytest.mark.parametrize("name", ["lab-weak", "lab-strong"])
def test_a_lab_model_of_another_strength_debugs_is_trained_and_is_asked_like_the_labs(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTINGS_FILE, str(ROOT / f"examples/experiment/{name}.toml"))
    settings = load_settings()
    model = LocalModel(path=Path("data/models") / name)
    assert settings.generator == model
    assert settings.base_models == {name: model}
    assert settings.experiment is not None
    assert settings.experiment.base_model == name
    assert settings.prompts_for(model) == LAB_PROMPTS


def test_lab_models_of_all_strengths_are_compared_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    their_own = {"root", "generator", "base_models", "prompts", "experiment"}
    others = []
    for name in ("lab", "lab-weak", "lab-strong"):
        monkeypatch.setenv(SETTINGS_FILE, str(ROOT / f"examples/experiment/{name}.toml"))
        settings = load_settings()
        assert settings.experiment is not None
        sizes = settings.experiment.model_dump(exclude={"base_model"})
        others.append((settings.model_dump(exclude=their_own), sizes))
    assert others[0] == others[1] == others[2]


def test_setting_one_count_of_the_lab_keeps_its_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_SEEDS__LAB__SHARDS", "2")
    assert load_settings().seeds.lab.shards == 2


def test_pairs_of_samples_need_two_of_them(monkeypatch) -> None:
    monkeypatch.setenv("ITERPREF_PAIRS__NEGATIVES", "pass_rate")
    with pytest.raises(InputError, match="samples_per_problem is 1: set it to 2 or more"):
        load_settings()
    monkeypatch.setenv("ITERPREF_SAMPLING__SAMPLES_PER_PROBLEM", "2")
    assert load_settings().pairs.negatives == "pass_rate"


def test_a_strength_that_a_variant_has_no_term_for_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("ITERPREF_VARIANTS", '["reference", "dpo"]')
    monkeypatch.setenv("ITERPREF_TRAINING__ALPHA", "2")
    with pytest.raises(InputError, match="alpha"):
        load_settings()


@pytest.mark.parametrize("variable", ["ITERPREF_GENERATOR", "ITERPREF_BASE_MODELS__MINE"])
@pytest.mark.parametrize("revision", ["main", "v1.0", "0123456", "", "g" * 40])
def test_what_names_no_one_commit_of_a_hub_model_is_refused(
    variable: str, revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = {"source": "hub", "repository": "owner/name", "revision": revision}
    monkeypatch.setenv(variable, json.dumps(model))
    with pytest.raises(InputError, match=r"no commit of 40.*model_info") as caught:
        load_settings()
    section = variable.removeprefix("ITERPREF_").lower().replace("__", ".")
    assert caught.value.field == f"{section}.revision"


def test_the_judge_of_pairs_is_one_setting(monkeypatch) -> None:
    judge = '{"engine": {"kind": "openai", "base_url": "http://judge/v1"}, "model": "m"}'
    monkeypatch.setenv("ITERPREF_PAIRS__JUDGE", judge)
    found = load_settings().pairs.judge
    assert (found.model, found.engine.base_url) == ("m", "http://judge/v1")


def test_the_webhook_is_a_variable_that_no_dump_of_the_settings_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(WEBHOOK, "https://chat/secret")
    assert "secret" not in load_settings().model_dump_json()


def test_a_file_may_not_hold_the_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('webhook = "https://chat/secret"\n')
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    with pytest.raises(InputError, match="webhook"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value", "field"),
    [
        ("ITERPREF_VARIANTS", '["focal_rop"]', "variants"),
        ("ITERPREF_BASE_MODELS", '{"qwen/x": {"source": "lab"}}', "base_models"),
        ("ITERPREF_BASE_MODELS", "{}", "base_models"),
        ("ITERPREF_OPERATIONS__TIMEZONE", "Mars", "operations.timezone"),
        ("iterpref_debuging__max_rounds", "3", "iterpref_debuging__max_rounds"),
    ],
)
def test_a_value_that_would_fail_later_is_refused_at_once(
    variable: str, value: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError) as caught:
        load_settings()
    assert caught.value.field.startswith(field)


@pytest.mark.parametrize("content", [b"[debugging\n", b'root = "\xe9"\n'], ids=["torn", "latin-1"])
def test_a_file_that_is_no_toml_is_named(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    monkeypatch.setenv(SETTINGS_FILE, str(path))
    with pytest.raises(InputError, match=r"mine\.toml: not TOML"):
        load_settings()


@pytest.mark.parametrize(
    ("engine", "generator", "named"),
    [
        ('{"kind": "vllm"}', '{"source": "remote", "model": "m"}', "no weights"),
        ('{"kind": "openai"}', '{"source": "lab"}', "generator.source to .remote"),
        (
            '{"kind": "openai", "served_model": "other"}',
            '{"source": "remote", "model": "m"}',
            "leave engine.served_model out",
        ),
        (
            '{"kind": "replay", "completions": ["a.parquet"]}',
            '{"source": "remote", "model": "m"}',
            "set generator.server",
        ),
    ],
)
def test_a_generator_that_is_not_what_the_engine_asks_is_refused(
    monkeypatch: pytest.MonkeyPatch, engine: str, generator: str, named: str
) -> None:
    monkeypatch.setenv("ITERPREF_ENGINE", engine)
    monkeypatch.setenv("ITERPREF_GENERATOR", generator)
    with pytest.raises(InputError, match=named):
        load_settings()


def test_a_remote_model_cannot_be_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITERPREF_BASE_MODELS", '{"m": {"source": "remote", "model": "m"}}')
    with pytest.raises(InputError, match="base_models"):
        load_settings()
