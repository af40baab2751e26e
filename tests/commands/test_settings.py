"""`iterpref settings` shows what holds, explains keys and names what was meant."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def iterpref(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "iterpref_assets", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **variables},
    )  # fmt: skip


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text("[debugging]\nmax_rounds = 2\ntemperature = 0.5\n")
    return path


def test_each_value_tells_where_it_comes_from(mine: Path) -> None:
    shown = iterpref(
        "settings", "show", "--settings", str(mine), ITERPREF_DEBUGGING__MAX_ROUNDS="3"
    ).stdout.splitlines()
    assert "debugging.max_rounds = 3  # environment" in shown
    assert f"debugging.temperature = 0.5  # {mine}" in shown
    assert "training.epochs = 2  # default" in shown


def test_only_what_is_set_is_shown_on_request(mine: Path) -> None:
    shown = iterpref("settings", "show", "--changed", "--settings", str(mine)).stdout
    assert tomllib.loads(shown) == {"debugging": {"max_rounds": 2, "temperature": 0.5}}


def test_what_is_shown_is_a_settings_file_of_the_same_settings(tmp_path: Path) -> None:
    first = iterpref("settings", "show", ITERPREF_SAMPLING__SAMPLES_PER_PROBLEM="4").stdout
    again = tmp_path / "again.toml"
    again.write_text(first)
    second = iterpref("settings", "show", "--settings", str(again)).stdout
    assert tomllib.loads(second) == tomllib.loads(first)


def test_a_key_is_explained_with_its_variable() -> None:
    explained = iterpref("settings", "explain", "seed_filter.benchmark_words").stdout
    assert "default: 10" in explained
    assert "variable: ITERPREF_SEED_FILTER__BENCHMARK_WORDS" in explained


def test_the_key_that_was_meant_is_named() -> None:
    done = iterpref("settings", "explain", "debugging.max_round")
    assert done.returncode == 2
    assert "debugging.max_rounds" in done.stderr


def test_a_misspelt_key_of_a_file_gets_the_nearest_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[debugging]\nrounds = 2\n")
    done = iterpref("settings", "show", "--settings", str(path))
    assert done.returncode == 2
    assert "Did you mean debugging.max_rounds" in done.stderr


def test_a_misspelt_variable_gets_the_nearest_one() -> None:
    done = iterpref("settings", "show", ITERPREF_DEBUGING__MAX_ROUNDS="2")
    assert "Did you mean ITERPREF_DEBUGGING?" in done.stderr


def test_the_schema_names_every_section() -> None:
    schema = json.loads(iterpref("settings", "schema").stdout)
    assert "debugging" in schema["properties"]


def test_every_command_tells_the_version() -> None:
    assert iterpref("train", "--version").stdout.startswith("iterpref ")
