import hashlib
from importlib.metadata import version
from pathlib import Path

import pytest
from livecodebench_file import livecodebench_file

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import (
    BenchmarkName,
    BenchmarksConfig,
    BigCodeBenchConfig,
    EvalPlusConfig,
    LiveCodeBenchConfig,
)
from iterpref_assets.core.evaluation.evalplus.data import SANDBOX_PACKAGES


@pytest.fixture
def contests(tmp_path: Path) -> Path:
    return livecodebench_file(tmp_path)


def test_only_benchmarks_that_are_given_have_names():
    config = BenchmarksConfig.model_validate({"mbpp": {"data": "official"}})
    assert config.names() == (BenchmarkName.MBPP,)


def test_a_benchmark_that_is_not_given_is_asked_for():
    with pytest.raises(InputError, match=r"Set benchmarks\.mbpp\.data"):
        BenchmarksConfig().config(BenchmarkName.MBPP)


def test_data_is_identified_by_content_and_not_by_place(contests: Path):
    digest = hashlib.sha256(contests.read_bytes()).hexdigest()
    assert EvalPlusConfig(data=contests).identity()["data"] == digest
    assert EvalPlusConfig(data="official").identity()["data"] == "official"


def test_the_libraries_that_programs_may_import_are_part_of_what_a_plan_records(contests: Path):
    assert EvalPlusConfig(data=contests).identity()["libraries"] == {
        name: version(name) for name in SANDBOX_PACKAGES
    }


def test_a_missing_file_is_named_before_anything_runs(tmp_path: Path):
    with pytest.raises(InputError, match=r"absent\.jsonl"):
        EvalPlusConfig(data=tmp_path / "absent.jsonl").identity()


def test_the_list_of_hard_tasks_is_part_of_the_data(contests: Path):
    with pytest.raises(InputError, match=r"bigcodebench_hard_ids\.json"):
        BigCodeBenchConfig(data=contests).identity()
    contests.with_name("bigcodebench_hard_ids.json").write_text("[]")
    assert BigCodeBenchConfig(data=contests).identity()["libraries"] == {}


def test_the_window_of_contests_is_part_of_the_identity(contests: Path):
    since = LiveCodeBenchConfig.model_validate({"data": contests, "since": "2024-08-01"})
    assert since.identity()["window"] == ["2024-08-01", None]


def test_solutions_come_from_a_samples_file(contests: Path, tmp_path: Path):
    solutions = tmp_path / "solutions.jsonl"
    solutions.write_text('{"task_id": "add", "solution": "print(3)"}\n')
    suite = LiveCodeBenchConfig(data=contests, solutions=solutions).open()
    assert suite.facts.references == {"add": "print(3)"}
    assert suite.facts.groups == {"add": "easy"}


def test_a_solution_of_an_unknown_problem_is_named(contests: Path, tmp_path: Path):
    solutions = tmp_path / "solutions.jsonl"
    solutions.write_text('{"task_id": "other", "solution": ""}\n')
    with pytest.raises(InputError, match=r"solutions\.jsonl:1: field 'task_id'"):
        LiveCodeBenchConfig(data=contests, solutions=solutions).open()
