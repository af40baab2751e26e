"""Which commit a file is of."""

import os
import subprocess
from pathlib import Path

import pytest

from iterpref_assets.core.checkout import NO_CHECKOUT, commit_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a checkout with one commit."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "code.py").touch()
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first")
    return folder / "code.py"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_commit_is_that_of_the_files_checkout(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert commit_of(file) == git(file.parent, "rev-parse", "HEAD")


def test_short_commit_is_the_beginning_of_the_long_one(file):
    short = commit_of(file, short=True)
    assert commit_of(file).startswith(short)
    assert 4 <= len(short) < 40


def test_file_outside_a_checkout_has_no_commit(tmp_path):
    assert commit_of(tmp_path / "code.py") == NO_CHECKOUT


def test_without_git_there_is_no_commit(file, monkeypatch):
    monkeypatch.setitem(os.environ, "PATH", "")
    assert commit_of(file) == NO_CHECKOUT
