import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.journal import Journal

SETTINGS = {"seed": 1}
SCHEMA = {"name": pl.String(), "count": pl.Int32()}


def written(path: Path, *names: str) -> Path:
    with Journal(path, SETTINGS) as journal:
        for count, name in enumerate(names):
            journal.append("item", {"name": name, "count": count})
    return path


def names(path: Path) -> list[str]:
    with Journal(path, SETTINGS) as journal:
        return [row["name"] for _, row in journal.records()]


def test_records_come_back_in_the_order_they_were_written(tmp_path: Path) -> None:
    assert names(written(tmp_path / "log", "b", "a", "c")) == ["b", "a", "c"]


@given(cut=st.integers(min_value=0))
def test_cut_at_any_byte_it_keeps_every_whole_record(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = written(tmp_path_factory.mktemp("cut") / "log", "one", "zwei\n", "trois\u2028")
    content = path.read_bytes()
    kept = content[: cut % (len(content) + 1)]
    path.write_bytes(kept)
    whole = max(kept.count(b"\n") - 1, 0)
    assert names(path) == ["one", "zwei\n", "trois\u2028"][:whole]


def test_dropped_records_are_gone_and_others_stay_as_they_were(tmp_path: Path) -> None:
    path = written(tmp_path / "log", "one", "two", "three")
    before = path.read_bytes().splitlines()
    with Journal(path, SETTINGS) as journal:
        journal.drop(lambda kind, row: kind == "item" and row["name"] == "two")
        assert [row["name"] for _, row in journal.records()] == ["one", "three"]
        journal.append("item", {"name": "four", "count": 3})
    assert path.read_bytes().splitlines()[:3] == [*before[:2], before[3]]
    assert names(path) == ["one", "three", "four"]


def test_a_torn_line_longer_than_a_read_is_dropped(tmp_path: Path) -> None:
    path = written(tmp_path / "log", "kept", "x" * 300_000)
    path.write_bytes(path.read_bytes()[:-1])
    assert names(path) == ["kept"]


def test_a_record_is_on_file_before_append_returns(tmp_path: Path) -> None:
    with Journal(tmp_path / "log", SETTINGS) as journal:
        journal.append("item", {"name": "early", "count": 0})
        assert b"early" in (tmp_path / "log").read_bytes()


def test_a_table_holds_one_kind_sorted(tmp_path: Path) -> None:
    with Journal(tmp_path / "log", SETTINGS) as journal:
        journal.append("item", {"name": "b", "count": 1})
        journal.append("other", {"name": "c", "count": 2})
        journal.append("item", {"name": "a", "count": 3})
        table = journal.table("item", SCHEMA, ["name"])
    assert table.rows() == [("a", 3), ("b", 1)]


def test_a_table_without_records_is_empty(tmp_path: Path) -> None:
    with Journal(tmp_path / "log", SETTINGS) as journal:
        assert journal.table("item", SCHEMA, ["name"]).schema == SCHEMA


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "log", "a")
    with pytest.raises(InputError, match="'seed'"):
        Journal(path, {"seed": 2})


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "log", "a", "b")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n" + lines[2])
    with pytest.raises(InputError) as caught:
        names(path)
    assert caught.value.line == 2


OPEN = "import sys, pathlib; from iterpref_assets.core.journal import Journal; {}"


def test_two_processes_cannot_hold_the_same_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    command = OPEN.format("Journal(pathlib.Path(sys.argv[1]), {})")
    with Journal(path, {}):
        other = subprocess.run([sys.executable, "-c", command, path], capture_output=True)
    assert b"another process is working on this" in other.stderr
    assert subprocess.run([sys.executable, "-c", command, path]).returncode == 0


def test_nor_after_one_of_them_dropped_records(tmp_path: Path) -> None:
    path = written(tmp_path / "log", "one")
    command = OPEN.format("Journal(pathlib.Path(sys.argv[1]), {'seed': 1})")
    with Journal(path, SETTINGS) as journal:
        journal.drop(lambda _kind, _row: True)
        other = subprocess.run([sys.executable, "-c", command, path], capture_output=True)
    assert b"another process is working on this" in other.stderr
