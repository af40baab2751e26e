"""What a fault left in the temporary folder is told by name; what stays for good is not."""

from pathlib import Path

from faults.verdict import left_in


def test_folders_of_sandboxes_are_told_and_their_home_is_not(tmp_path: Path) -> None:
    (tmp_path / "iterpref-sandboxes-0" / "tmpabc").mkdir(parents=True)
    assert list(left_in(tmp_path)) == ["iterpref-sandboxes-0/tmpabc"]


def test_an_empty_home_of_sandboxes_is_nothing_left(tmp_path: Path) -> None:
    (tmp_path / "iterpref-sandboxes-0").mkdir()
    assert list(left_in(tmp_path)) == []


def test_what_is_no_librarys_cache_is_told(tmp_path: Path) -> None:
    (tmp_path / "torchinductor_me").mkdir()
    (tmp_path / "half-written").touch()
    assert list(left_in(tmp_path)) == ["half-written"]
