"""The console script lists its commands and reports bad input in one line."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from iterpref_assets.cli import COMMANDS, _app, main

ROOT = Path(__file__).resolve().parents[1]


def iterpref(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "iterpref_assets", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "run",
        "prepare",
        "backfill",
        "pairs",
        "export",
        "train",
        "generate",
        "evaluate",
        "publish",
        "pages",
        "experiment",
    ],
)
def test_every_command_explains_itself(name: str) -> None:
    done = iterpref(name, "--help")
    assert done.returncode == 0
    assert name in done.stdout


def test_an_unknown_recipe_is_one_line_with_the_known_ones(tmp_path: Path) -> None:
    done = iterpref(
        "train", "--pairs", str(tmp_path / "absent.parquet"), "--model", str(tmp_path),
        "--recipe", "magic", "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "focal_rpo" in done.stderr


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(sys, "argv", ["iterpref", "init", str(tmp_path / "file" / "mine")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'file'}: File exists. Give another place" in line


def test_an_error_about_anything_else_is_no_fault_of_a_place(monkeypatch) -> None:
    def broken() -> None:
        raise FileNotFoundError(2, "No such file or directory", "of-the-program")

    monkeypatch.setattr("iterpref_assets.commands.run.run", broken)
    monkeypatch.setattr(sys, "argv", ["iterpref", "run"])
    with pytest.raises(FileNotFoundError):
        main()


def interrupted() -> None:
    raise KeyboardInterrupt


def test_an_interrupted_command_is_one_line(monkeypatch, capsys) -> None:
    monkeypatch.setattr("iterpref_assets.commands.run.prepare", interrupted)
    monkeypatch.setattr(sys, "argv", ["iterpref", "prepare"])
    with pytest.raises(SystemExit, match="130"):
        main()
    assert capsys.readouterr().err == "iterpref: interrupted\n"


def test_a_command_that_is_interrupted_as_it_is_loaded_is_one_line(monkeypatch, capsys) -> None:
    monkeypatch.setattr("iterpref_assets.cli.import_module", lambda _name: interrupted())
    with pytest.raises(SystemExit, match="130"):
        main()
    assert capsys.readouterr().err == "iterpref: interrupted\n"


def test_a_paragraph_of_help_is_broken_at_the_terminals_width_alone() -> None:
    lines = [line.rstrip() for line in iterpref("generate", "--help").stdout.splitlines()]
    start = lines.index(
        " Finished completions are kept beside it (OUT.completions.jsonl): the same"
    )
    assert (
        lines[start + 1]
        == " command goes on after an interruption, and draws the others where --samples"
    )


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_settings_file_may_be_named_before_and_behind_each_word(
    tmp_path: Path, place: int
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[debugging]\nmax_rounds = 7\n")
    words = ["settings", "show"]
    done = iterpref(*words[:place], "--settings", str(file), *words[place:])
    assert f"debugging.max_rounds = 7  # {file}" in done.stdout.splitlines()


def test_the_settings_file_that_is_named_last_holds(tmp_path: Path) -> None:
    for rounds in (7, 9):
        (tmp_path / f"{rounds}.toml").write_text(f"[debugging]\nmax_rounds = {rounds}\n")
    first, last = ("--settings", str(tmp_path / "7.toml")), ("--settings", str(tmp_path / "9.toml"))
    assert "debugging.max_rounds = 9 " in iterpref(*first, "settings", "show", *last).stdout


def all_commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for inner, each in getattr(command, "commands", {}).items():
        yield from all_commands(each, f"{name} {inner}".strip())


def test_every_command_and_group_takes_settings_and_version() -> None:
    commands = dict(all_commands(typer.main.get_command(_app(*COMMANDS))))
    assert {"", "experiment", "experiment run", "train"} <= set(commands)
    for name, command in commands.items():
        options = {option for each in command.params for option in each.opts}
        assert {"--settings", "--version"} <= options, name
