"""One process at a time holds a path, for as long as it lives."""

import fcntl
import os
from pathlib import Path

import pytest
from held_elsewhere import held_elsewhere, is_free

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import held, hold


def test_what_another_process_holds_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "work"
    told = r"work: another process is working on this\. Wait for it, or end it"
    with held_elsewhere(path), pytest.raises(InputError, match=told):
        hold(path)


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    path = tmp_path / "work"
    with held_elsewhere(path) as holder:
        holder.kill()
        holder.wait()
        hold(path).close()
    assert (tmp_path / "work.lock").exists()  # left by the killed one


def test_a_forked_child_that_ends_leaves_the_hold_of_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "work"
    with held(path):
        if (child := os.fork()) == 0:
            os.closerange(3, 1024)
            os._exit(0)
        os.waitpid(child, 0)
        assert not is_free(path)


def test_what_is_no_longer_held_leaves_no_lock_behind(tmp_path: Path) -> None:
    with held(tmp_path / "work"):
        assert [file.name for file in tmp_path.iterdir()] == ["work.lock"]
    assert list(tmp_path.iterdir()) == []
    assert is_free(tmp_path / "work")


def test_a_lock_that_was_removed_since_it_was_opened_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the one who held it leaves between opening and locking."""
    path, lockf, removed = tmp_path / "work", fcntl.lockf, []

    def remove_first(stream, kind):
        if not removed:
            removed.append(True)
            (tmp_path / "work.lock").unlink()
        return lockf(stream, kind)

    monkeypatch.setattr(fcntl, "lockf", remove_first)
    with hold(path):
        assert not is_free(path)
