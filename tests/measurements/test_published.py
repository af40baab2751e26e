"""The list of published data says what is missing, and where a stranger finds it."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from places import ROOT
from published import BENCH, FILES, Published, tell

FILE = Published("a/b.jsonl.gz", "owner/name @01234567 b.jsonl", "")
NOT_RECORDED = ["bigcodebench_hard_ids.json", "livecodebench-v5-public-tests-279.jsonl.gz"]


@pytest.fixture
def file(tmp_path: Path) -> Published:
    """One that is there."""
    (tmp_path / "a").mkdir()
    (tmp_path / FILE.path).write_bytes(gzip.compress(b"rows", mtime=0))
    return Published(FILE.path, FILE.source, hashlib.sha256(b"rows").hexdigest()[:16])


def test_a_file_that_is_missing_is_told_with_its_source(tmp_path: Path) -> None:
    (line,) = tell(tmp_path, [FILE])
    assert line == f"missing: {tmp_path / FILE.path}\n         from {FILE.source}"


def test_a_file_that_is_there_is_not_told(tmp_path: Path, file: Published) -> None:
    assert tell(tmp_path, [file]) == []


def test_nor_is_one_that_was_packed_in_another_way(tmp_path: Path, file: Published) -> None:
    (tmp_path / file.path).write_bytes(gzip.compress(b"rows", compresslevel=0, mtime=9))
    assert tell(tmp_path, [file]) == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(b"row"), id="other rows"),
        pytest.param(gzip.compress(b"rows")[:-9], id="cut off"),
        pytest.param(b"rows", id="not packed"),
    ],
)
def test_one_of_another_content_is_told(tmp_path: Path, file: Published, content: bytes) -> None:
    (tmp_path / file.path).write_bytes(content)
    assert [line.split()[0] for line in tell(tmp_path, [file])] == ["differs:"]


def test_the_files_that_were_measured_with_are_those_of_the_list(shared_data: Path) -> None:
    assert tell(shared_data, FILES) == []


def test_a_source_names_repository_commit_and_path_or_says_what_is_not_recorded() -> None:
    named = re.compile(r"[\w.-]+/[\w.-]+ @[0-9a-f]{8} (\(v[\d.]+\) )?[\w./-]+")
    others = [each for each in FILES if not named.match(each.source)]
    assert [Path(each.path).name for each in others] == NOT_RECORDED
    assert all("not recorded" in each.source for each in others)


def test_what_bench_is_given_by_name_it_asks_for() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nbench:")[2].partition("\n\n")[0]
    given = set(re.findall(r"\$\(DATA\)/(\S+)", recipe))
    assert given
    assert given <= set(BENCH) <= {each.path for each in FILES}
