"""A file of one's own problems, asked and scored like a benchmark."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.conversations import PromptConfig
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import JudgingLimits
from iterpref_assets.core.evaluation.problem_suite import ProblemSuite
from iterpref_assets.core.evaluation.sample_scoring import SampleRun, score_file
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.verdicts import Limits
from iterpref_assets.core.starter import EXAMPLE

ANSWERS = {
    "mine/sum-of-lines": "import sys\nprint(sum(map(int, sys.stdin)))",
    "mine/mean": "def mean(values):\n    return sum(values) / len(values)",
}
"""The first is right; the second raises ZeroDivisionError for an empty list."""


def suite(file: Path = EXAMPLE, limits: Limits = Limits()) -> ProblemSuite:  # noqa: B008 - frozen
    return ProblemSuite(file, PromptConfig(example_test=False), limits)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    path = tmp_path / "samples.jsonl"
    rows = ({"task_id": name, "solution": code} for name, code in ANSWERS.items())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.sandbox
def test_programs_are_judged_by_the_problems_own_tests(tmp_path: Path, samples: Path) -> None:
    run = SampleRun(samples, tmp_path / "out", tmp_path / "cache", workers=1)
    summary, _ = score_file(suite(), run)
    assert summary.base["pass@1"] == 0.5
    assert (summary.tasks, summary.tasks_without_sample) == (2, 1)


@pytest.mark.sandbox
def test_a_reference_that_fails_its_tests_stops_the_scoring(tmp_path: Path, samples: Path) -> None:
    file = tmp_path / "mine.jsonl"
    problems = [json.loads(line) for line in EXAMPLE.read_text().splitlines()]
    problems[2]["reference"] = "def mean(values):\n    return 0"
    file.write_text("".join(json.dumps(each) + "\n" for each in problems))
    run = SampleRun(samples, tmp_path / "out", tmp_path / "cache", workers=1)
    with pytest.raises(InputError, match="1 reference solutions fail here, first mine/mean"):
        score_file(suite(file), run)


LOOP = "i = 0\nwhile i < 4_000_000:\n    i += 1\n"
"""Takes more than the 0.05 CPU seconds of TIGHT, and far less than the 60 of WIDE."""
TIGHT, WIDE = Limits(cpu_seconds=0.05), Limits(cpu_seconds=60.0)


@pytest.fixture
def slow_samples(tmp_path: Path) -> Path:
    """One right answer, which TIGHT leaves no time for."""
    path = tmp_path / "slow.jsonl"
    code = LOOP + ANSWERS["mine/sum-of-lines"]
    path.write_text(json.dumps({"task_id": "mine/sum-of-lines", "solution": code}) + "\n")
    return path


@pytest.fixture
def slow_problem(tmp_path: Path) -> Path:
    """The problem of `slow_samples`, whose reference takes as long."""
    path = tmp_path / "mine.jsonl"
    rows = [json.loads(line) for line in EXAMPLE.read_text().splitlines()]
    (row,) = [each for each in rows if each["problem_id"] == "mine/sum-of-lines"]
    row["reference"] = LOOP + ANSWERS["mine/sum-of-lines"]
    path.write_text(json.dumps(row) + "\n")
    return path


@pytest.mark.sandbox
def test_scores_made_under_other_limits_are_refused(tmp_path: Path, slow_samples: Path) -> None:
    run = SampleRun(slow_samples, tmp_path / "out", tmp_path / "cache", workers=1)
    score_file(suite(limits=WIDE), run)
    with pytest.raises(InputError, match="limits"):
        score_file(suite(limits=Limits(cpu_seconds=61.0)), run)


@pytest.mark.sandbox
def test_a_limit_of_memory_that_is_given_is_the_programs(tmp_path: Path, samples: Path) -> None:
    code = "held = bytearray(1 << 29)\n" + ANSWERS["mine/sum-of-lines"]
    samples.write_text(json.dumps({"task_id": "mine/sum-of-lines", "solution": code}) + "\n")
    given = JudgingLimits(memory_gib=0.25)
    small = ProblemSuite(EXAMPLE, PromptConfig(example_test=False), Limits(), given)
    run = SampleRun(samples, tmp_path / "out", tmp_path / "cache", workers=1)
    score_file(small, run)
    (result,) = (tmp_path / "out" / "results.jsonl").read_text().splitlines()
    assert json.loads(result)["verdict"] == "memory"


@pytest.mark.sandbox
def test_a_reference_is_run_again_under_higher_limits(
    tmp_path: Path, slow_samples: Path, slow_problem: Path
) -> None:
    run = SampleRun(slow_samples, tmp_path / "out", tmp_path / "cache", workers=1)
    with pytest.raises(InputError, match="1 reference solutions fail here"):
        score_file(suite(slow_problem, TIGHT), run)
    summary, _ = score_file(suite(slow_problem, WIDE), run)
    assert summary.base["pass@1"] == 1.0


def test_answers_are_read_without_making_the_tasks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = suite()
    monkeypatch.delattr("iterpref_assets.core.evaluation.problem_suite.problem_tasks")
    assert made.program("mine/mean", "```python\nx = 1\n```") == "x = 1"


def test_a_problem_is_asked_by_the_prompts_of_the_settings() -> None:
    asked = suite().questions(PromptStyle.CHAT)["mine/mean"].messages
    assert "Write `mean(values)`" in asked[-1].content


def test_a_line_that_is_no_problem_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"problem_id": "a"}\n')
    with pytest.raises(InputError, match=r"mine\.jsonl:1: field 'source'"):
        suite(file)
