"""Programs that pass a problem's own tests, judged by stronger ones."""

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_heldout
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits
from iterpref_assets.settings import Settings
from iterpref_assets.steps.experiment_stronger import is_possible, judge_stronger

FIRST, SECOND = compose_heldout(LabConfig(heldout_problems=2))
PROBLEMS = {each.problem_id: each for each in (FIRST, SECOND)}
ENDLESS = f"def {SECOND.entry_point}(*arguments):\n    while True:\n        pass\n"


def scores(*rows: tuple[str, str, bool]) -> pl.DataFrame:
    made = [
        {
            "task_id": name, "sample": 0, "completion": "", "code": code, "verdict": "",
            "error_type": "", "base_passed": passed,
        }
        for name, code, passed in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=tables.SCORES)


@pytest.fixture(scope="module")
def judged():
    rows = (
        (FIRST.problem_id, FIRST.reference, True),
        (FIRST.problem_id, FIRST.reference, False),
        (SECOND.problem_id, ENDLESS, True),
    )
    with Sandbox(workers=1) as sandbox:
        yield judge_stronger(scores(*rows), PROBLEMS, sandbox, Limits(cpu_seconds=1))


def test_programs_that_failed_their_own_tests_are_not_judged_again(judged):
    assert judged["task_id"].to_list() == [FIRST.problem_id, SECOND.problem_id]


def test_a_right_program_passes_and_a_wrong_one_fails(judged):
    assert judged["passed_stronger"].to_list() == [True, False]


def test_no_program_that_passes_leaves_an_empty_table():
    rows = scores((FIRST.problem_id, FIRST.reference, False))
    with Sandbox(workers=1) as sandbox:
        assert judge_stronger(rows, PROBLEMS, sandbox, Limits()).is_empty()


@pytest.mark.parametrize(("asked", "possible"), [({"experiment": {}}, True), ({}, False)])
def test_stronger_tests_are_run_where_the_experiment_is_asked_for(tmp_path, asked, possible):
    assert is_possible(Settings.model_validate({"root": tmp_path, **asked})) is possible
