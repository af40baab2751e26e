"""A file of one's own problems, asked and scored like a benchmark."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.conversations import PromptConfig
from iterpref_assets.core.errors import InputError
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


def suite(file: Path = EXAMPLE) -> ProblemSuite:
    return ProblemSuite(file, PromptConfig(example_test=False), Limits())


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


def test_a_problem_is_asked_by_the_prompts_of_the_settings() -> None:
    asked = suite().questions(PromptStyle.CHAT)["mine/mean"].messages
    assert "Write `mean(values)`" in asked[-1].content


def test_a_line_that_is_no_problem_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"problem_id": "a"}\n')
    with pytest.raises(InputError, match=r"mine\.jsonl:1: field 'source'"):
        suite(file)
