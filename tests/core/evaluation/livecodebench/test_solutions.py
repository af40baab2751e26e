"""Solutions of LiveCodeBench problems, written by hand, pass the published tests."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.evaluation.livecodebench.data import LiveCodeBenchData, load_livecodebench
from iterpref_assets.core.evaluation.livecodebench.suite import LiveCodeBenchSuite
from iterpref_assets.core.evaluation.livecodebench.tasks import LiveCodeBenchTask

FILE = Path(__file__).resolve().parents[4] / "examples" / "livecodebench-solutions.jsonl"
SOLUTIONS = [json.loads(line) for line in FILE.read_text().splitlines()]


@pytest.fixture(scope="module")
def sandbox():
    suite = LiveCodeBenchSuite(LiveCodeBenchData({}, "", ""), {})
    with suite.open_sandbox(1) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def published(shared_data):
    path = shared_data / "benchmarks" / "livecodebench-v5-public-tests-279.jsonl.gz"
    return load_livecodebench(path).problems


@pytest.mark.sandbox
@pytest.mark.parametrize("row", SOLUTIONS, ids=lambda row: row["task_id"])
def test_a_hand_written_solution_passes_every_public_test(published, sandbox, row):
    task = LiveCodeBenchTask(published[row["task_id"]])
    assert task.judge(row["solution"], sandbox).base.passed
