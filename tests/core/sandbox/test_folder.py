"""The folder of a fork server goes with its process, or with the next one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from iterpref_assets.core.errors import SandboxUnavailableError
from iterpref_assets.core.sandbox.folder import ServerFolder, remove_abandoned

HOLDER = """
import signal
from iterpref_assets.core.sandbox.folder import ServerFolder
folder = ServerFolder()
(folder.path / "left").touch()
print(folder.path, flush=True)
signal.pause()
"""


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


def test_the_folder_of_a_killed_process_is_removed_by_the_next() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True
    ) as held:
        assert held.stdout is not None
        folder = Path(held.stdout.readline().strip())
        ServerFolder().remove()
        assert (folder / "left").exists()
        held.send_signal(signal.SIGKILL)
    assert folder.exists()
    ServerFolder().remove()
    assert not folder.exists()


def test_the_folder_of_a_killed_process_is_removed_without_another_one() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True
    ) as held:
        assert held.stdout is not None
        folder = Path(held.stdout.readline().strip())
        remove_abandoned()
        assert (folder / "left").exists()
        held.send_signal(signal.SIGKILL)
    remove_abandoned()
    assert not folder.exists()


def test_where_there_are_no_folders_none_is_made(tmp_path: Path) -> None:
    remove_abandoned()
    assert list(tmp_path.iterdir()) == []


def test_a_home_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "left").mkdir(parents=True)
    (tmp_path / f"iterpref-sandboxes-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    remove_abandoned()
    assert (tmp_path / "elsewhere" / "left").is_dir()


def test_a_removed_folder_is_gone_and_removed_once() -> None:
    folder = ServerFolder()
    folder.remove()
    folder.remove()
    assert not folder.path.exists()


def test_a_home_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"iterpref-sandboxes-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SandboxUnavailableError, match="belongs to somebody else"):
        ServerFolder()


def test_a_tree_too_deep_to_be_walked_is_removed() -> None:
    folder = ServerFolder()
    deepen(folder.path)
    folder.remove()
    assert not folder.path.exists()


def test_a_deep_tree_of_a_killed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    home = tmp_path / f"iterpref-sandboxes-{os.getuid()}"
    (home / "left").mkdir(parents=True)
    deepen(home / "left")
    ServerFolder().remove()
    assert list(home.iterdir()) == []


def deepen(folder: Path) -> None:
    """Nest more folders in it than a recursion can follow, or a path can name."""
    there = os.open(folder, os.O_RDONLY)
    for _ in range(3_000):
        os.mkdir("d", dir_fd=there)
        below = os.open("d", os.O_RDONLY, dir_fd=there)
        os.close(there)
        there = below
    os.close(there)
