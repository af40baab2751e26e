"""What `iterpref init` prints can be typed as it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BESIDE = Path(sys.executable).parent


def told(folder: Path, search: str) -> list[str]:
    """The lines that `iterpref init` prints where PATH is `search`."""
    done = subprocess.run(
        [sys.executable, "-m", "iterpref_assets", "init", str(folder)],
        cwd=ROOT, env={**os.environ, "PATH": search}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.skipif(not (BESIDE / "iterpref").is_file(), reason="iterpref is not installed")
def test_the_commands_run_in_a_shell_that_does_not_find_them(tmp_path: Path) -> None:
    lines = told(tmp_path / "mine", os.defpath)
    (check,) = [line for line in lines if " settings check " in line]
    show = check.replace(" check ", " show --changed ")
    done = subprocess.run(
        ["/bin/sh", "-c", show],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'seeds.kind = "files"' in done.stdout


def test_the_commands_are_short_where_the_shell_finds_them(tmp_path: Path) -> None:
    lines = told(tmp_path / "mine", f"{BESIDE}{os.pathsep}{os.defpath}")
    assert any(line.startswith("iterpref settings check --settings ") for line in lines)


def test_the_run_that_is_printed_ends_at_the_pairs(tmp_path: Path) -> None:
    (run,) = [line for line in told(tmp_path / "mine", os.defpath) if " run --settings " in line]
    assert run.endswith(" --until codeflow_pairs")


def test_a_server_without_a_models_name_is_told_where_names_are_listed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "iterpref_assets", "init", str(tmp_path / "mine"),
         "--model", "server", "--url", "http://127.0.0.1:1/v1"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "http://127.0.0.1:1/v1/models" in done.stderr
