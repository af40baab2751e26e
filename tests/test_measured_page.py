"""docs/MEASURED.md tells the rows under measurements/results/ and nothing else."""

import json
import re
from pathlib import Path

import pytest
import render

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_is_current() -> None:
    written = (ROOT / "docs" / "MEASURED.md").read_text(encoding="utf-8")
    assert written == render.page(render.rows()), "run: python measurements/render.py"


def test_every_row_tells_machine_commit_date_and_command() -> None:
    wanted = {"topic", "what", "command", "commit", "machine", "beside", "date", "result"}
    assert [row for row in render.rows() if set(row) != wanted or not all(row.values())] == []


def test_each_benchmark_is_set_beside_its_own_harness() -> None:
    table = json.loads(render.HARNESSES.read_text(encoding="utf-8"))
    named = " ".join(each["benchmark"] for each in table)
    assert re.findall("HumanEval|MBPP|BigCodeBench|LiveCodeBench", named.replace("+", "")) == [
        "HumanEval", "HumanEval", "MBPP", "MBPP", "LiveCodeBench", "BigCodeBench",
    ]  # fmt: skip
    assert {tuple(each) for each in table} == {tuple(table[0])}
    assert all(cell for each in table for cell in each.values())


def test_a_row_of_an_unknown_topic_is_refused() -> None:
    with pytest.raises(KeyError):
        render.page([{"topic": "weather"}])
