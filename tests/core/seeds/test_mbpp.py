"""MBPP's train split, in both of its published layouts."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Case
from iterpref_assets.core.seeds.mbpp import MbppSeeds, signature_of
from iterpref_assets.core.seeds.reading import Unusable

FULL = {
    "task_id": 601, "text": "Add one.", "code": "def f(x):\r\n  return x+1",
    "test_setup_code": "", "test_list": ["assert f(1) == 2"], "challenge_test_list": [],
}  # fmt: skip
SANITIZED = {
    "task_id": 601, "prompt": "Add one.", "code": "def f(x):\n  return x+1", "source_file": "x",
    "test_imports": [], "test_list": ["assert f(1) == 2"],
}  # fmt: skip


def write(path: Path, *tasks: dict) -> MbppSeeds:
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks))
    return MbppSeeds(path=path)


def test_both_layouts_give_the_same_problem(tmp_path: Path) -> None:
    full = write(tmp_path / "full.jsonl", FULL).read().problems
    (tmp_path / "s.json").write_text(json.dumps([SANITIZED]))
    assert full == MbppSeeds(path=tmp_path / "s.json").read().problems
    assert full[0].tests.cases == (Case(arguments="(1,)", expected="2"),)
    assert full[0].reference == "def f(x):\n  return x+1"
    assert full[0].prompt == "Add one.\n\nFunction signature:\ndef f(x):\n"


@pytest.mark.parametrize(("task_id", "count"), [(600, 0), (601, 1), (974, 1), (975, 0), (11, 0)])
def test_only_the_train_split_is_read(tmp_path: Path, task_id: int, count: int) -> None:
    seeds = write(tmp_path / "m.jsonl", {**FULL, "task_id": task_id})
    assert len(seeds.read().problems) == count


@pytest.mark.parametrize(
    "change", [{"test_setup_code": "x = 1"}, {"test_list": ["assert f(Pair(1)) == 2"]}]
)
def test_a_task_whose_tests_are_no_plain_calls_is_named(tmp_path: Path, change: dict) -> None:
    reading = write(tmp_path / "m.jsonl", {**FULL, **change}).read()
    assert reading.problems == []
    assert [(each.record, each.reason) for each in reading.unusable] == [
        ("mbpp/601", Unusable.NOT_A_LITERAL)
    ]


def test_a_record_that_is_no_task_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write(tmp_path / "m.jsonl", FULL, {"task_id": 602}).read()
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("code", "signature"),
    [
        ("def g(): pass\ndef f(x: int, *a) -> str:\n  pass", "def f(x: int, *a) -> str:"),
        ("f = lambda x: x", "f"),
        ("def f(:", "f"),
    ],
)
def test_the_signature_is_read_from_the_code(code: str, signature: str) -> None:
    assert signature_of(code, "f") == signature


def test_the_published_train_split_gives_371_problems(shared_data: Path) -> None:
    reading = MbppSeeds(path=shared_data / "benchmarks" / "mbpp.jsonl.gz").read()
    assert len(reading.problems) == 371
    assert [each.record for each in reading.unusable] == ["mbpp/601", "mbpp/912", "mbpp/927"]
