"""Published benchmark files are recognised by their fields."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.decontamination.items import read_items
from iterpref_assets.core.errors import InputError


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_an_item_of_humaneval_has_prompt_function_and_solution(tmp_path: Path) -> None:
    row = {
        "task_id": "HumanEval/0", "entry_point": "f", "canonical_solution": "    return x\n",
        "prompt": 'def f(x: int):\n    """Give x."""\n',
    }  # fmt: skip
    (item,) = read_items(write(tmp_path / "h.jsonl", row))
    assert (item.benchmark, item.item, item.entry_point) == ("HumanEval", "HumanEval/0", "f")
    assert item.parameters == ("x",)
    assert item.program is not None


def test_an_item_of_bigcodebench_has_both_prompts_and_no_function(tmp_path: Path) -> None:
    row = {
        "task_id": "BigCodeBench/0", "complete_prompt": "def task_func(x):\n",
        "instruct_prompt": "Give x.", "canonical_solution": "    return x",
    }  # fmt: skip
    (item,) = read_items(write(tmp_path / "b.jsonl", row))
    assert item.prompts == ("def task_func(x):\n", "Give x.")
    assert item.entry_point == ""
    assert item.program is not None


def test_an_item_of_livecodebench_has_its_method(tmp_path: Path) -> None:
    code = "class Solution:\n    def fewest(self, s: str) -> int:\n        "
    row = {"question_id": "3500", "question_content": "Count.", "starter_code": code}
    (item,) = read_items(write(tmp_path / "l.jsonl", row))
    assert (item.item, item.entry_point, item.parameters) == (
        "LiveCodeBench/3500",
        "fewest",
        ("s",),
    )


@pytest.mark.parametrize(("task_id", "count"), [(10, 0), (11, 1), (510, 1), (511, 0), (601, 0)])
def test_of_mbpp_the_test_split_is_read(tmp_path: Path, task_id: int, count: int) -> None:
    task = {
        "task_id": task_id, "text": "Give x.", "code": "def f(x): return x",
        "test_list": ["assert f(1) == 1"],
    }  # fmt: skip
    items = read_items(write(tmp_path / "m.jsonl", task))
    assert [item.entry_point for item in items] == ["f"] * count


@pytest.mark.parametrize("row", [{"question": "x"}, [1], "text"])
def test_a_file_that_is_no_benchmark_is_refused_by_line(tmp_path: Path, row: object) -> None:
    with pytest.raises(InputError) as caught:
        read_items(write(tmp_path / "x.jsonl", row))
    assert caught.value.file == tmp_path / "x.jsonl"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no items"):
        read_items(write(tmp_path / "x.jsonl"))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("HumanEval.jsonl.gz", 164), ("HumanEvalPlus.jsonl.gz", 164), ("MbppPlus.jsonl.gz", 378),
        ("mbpp.jsonl.gz", 500), ("sanitized-mbpp.json.gz", 257),
        ("BigCodeBench-v0.1.4.jsonl.gz", 1140),
        ("livecodebench-v5-public-tests-279.jsonl.gz", 279),
    ],
)  # fmt: skip
def test_each_published_benchmark_is_read_whole(shared_data: Path, name: str, count: int) -> None:
    assert len(read_items(shared_data / "benchmarks" / name)) == count


def test_a_damaged_gzip_is_named(damaged_gzip: Path) -> None:
    with pytest.raises(InputError, match=r"damaged\.jsonl\.gz"):
        read_items(damaged_gzip)
