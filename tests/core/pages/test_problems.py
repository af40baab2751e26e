import json

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pages.problems import read_prompts
from iterpref_assets.core.starter import EXAMPLE

HUMANEVAL = {
    "task_id": "HumanEval/0", "prompt": "def f():\n", "entry_point": "f",
    "canonical_solution": "    pass\n",
}  # fmt: skip
LIVECODEBENCH = {"question_id": "abc1", "question_content": "Add.", "starter_code": ""}


@pytest.mark.parametrize(
    ("row", "prompts"),
    [(HUMANEVAL, {"HumanEval/0": "def f():\n"}), (LIVECODEBENCH, {"abc1": "Add."})],
)
def test_tasks_of_a_published_benchmark_are_known_by_the_ids_that_scores_have(
    tmp_path, row, prompts
):
    (tmp_path / "tasks.jsonl").write_text(json.dumps(row) + "\n")
    assert read_prompts(tmp_path / "tasks.jsonl") == prompts


def test_tasks_of_ones_own_problem_file_are_known():
    prompts = read_prompts(EXAMPLE)
    assert set(prompts) == {"mine/uppercase-twice", "mine/sum-of-lines", "mine/mean"}
    assert prompts["mine/sum-of-lines"].startswith("Read one integer from each line")


def test_a_broken_line_of_a_problem_file_is_named(tmp_path):
    (tmp_path / "mine.jsonl").write_text('{"problem_id": "a", "promt": "Add."}\n')
    with pytest.raises(InputError, match=r"mine\.jsonl:1: .*promt"):
        read_prompts(tmp_path / "mine.jsonl")


def test_a_file_of_neither_kind_is_refused(tmp_path):
    (tmp_path / "tasks.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match="not an item of a benchmark"):
        read_prompts(tmp_path / "tasks.jsonl")
