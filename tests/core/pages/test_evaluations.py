from pathlib import Path

import polars as pl
import pytest
from read_pages import ReadPage, read_page

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.scores import SampleStatus, Score, scores_table
from iterpref_assets.core.pages.answers import read_answers
from iterpref_assets.core.pages.evaluations import (
    ShownModel,
    write_comparison_page,
    write_evaluation_page,
)

PASS, FAIL = SampleStatus.PASS, SampleStatus.FAIL


def score(task: str, base: SampleStatus, plus: SampleStatus | None = None, **more: object) -> Score:
    failed = FAIL in (base, plus)
    given = {
        "task_id": task, "sample": 0, "base_status": base, "plus_status": plus,
        "verdict": "wrong_answer" if failed else "passed", "error_type": "",
        "program_sha256": "0", "program": "def f(x):\n    return x",
    }  # fmt: skip
    return Score.model_validate(given | more)


FAILED = score("b", FAIL, failing_call="f(1)", expected="2", actual="1")
RAISED = score("b", FAIL, verdict="exception", error_type="KeyError", message="'k'")


def results(file: Path, *scores: Score) -> Path:
    file.write_text("".join(each.model_dump_json() + "\n" for each in scores))
    return file


def alone(folder: Path, *scores: Score) -> ReadPage:
    answers = read_answers(results(folder / "results.jsonl", *scores))
    write_evaluation_page(ShownModel("m", answers), {"b": "Do b."}, folder / "e.html", "E")
    return read_page(folder / "e.html")


def beside(folder: Path, first: list[Score], second: list[Score]) -> ReadPage:
    left, right = (
        ShownModel(name, read_answers(results(folder / f"{name}.jsonl", *scores)))
        for name, scores in (("old", first), ("new", second))
    )
    write_comparison_page(left, right, {}, folder / "e.html", "E")
    return read_page(folder / "e.html")


def test_an_answer_shows_the_failing_call_with_expected_and_actual(tmp_path):
    [[_, *cells]] = alone(tmp_path, FAILED).of_kind("b", "table")
    rows = dict(zip(cells[2::2], cells[3::2], strict=True))
    assert rows == {
        "Tests": "fail", "Verdict": "wrong answer", "Failing call": "f(1)", "Expected": "2",
        "Actual": "1",
    }  # fmt: skip


def test_an_answer_shows_its_task_and_its_program(tmp_path):
    page = alone(tmp_path, FAILED)
    assert page.of_kind("b", "text") == [["Task", "Do b."]]
    assert page.of_kind("b", "code") == [["Program", " def f(x):\n     return x"]]


def test_answers_can_be_chosen_by_outcome_and_error(tmp_path):
    not_run = score("d", SampleStatus.NOT_RUN, verdict="not_run", error_type="needs a library")
    page = alone(tmp_path, score("a", PASS, PASS), RAISED, score("c", PASS, FAIL), not_run)
    assert page.facet("Outcome") == {
        "a": ["passed"], "b": ["failed"], "c": ["passed base tests alone"], "d": ["not run"],
    }  # fmt: skip
    assert page.facet("Error") == {
        "a": [], "b": ["KeyError"], "c": ["wrong answer"], "d": ["needs a library"],
    }  # fmt: skip


def test_two_models_differ_in_the_tasks_won_and_lost(tmp_path):
    page = beside(
        tmp_path,
        [score("a", PASS), FAILED, score("c", PASS), score("d", FAIL), score("e", PASS)],
        [score("a", FAIL), score("b", PASS), score("c", PASS), score("d", FAIL)],
    )
    assert page.facet("Change") == {
        "a": ["lost"], "b": ["won"], "c": ["both pass"], "d": ["both fail"],
        "e": ["one has no answer"],
    }  # fmt: skip


def test_passing_base_tests_alone_is_no_win(tmp_path):
    page = beside(tmp_path, [score("a", FAIL, FAIL)], [score("a", PASS, FAIL)])
    assert page.facet("Change") == {"a": ["both fail"]}


def test_two_models_stand_side_by_side_with_what_differs(tmp_path):
    page = beside(tmp_path, [FAILED], [score("b", PASS, program="def f(x):\n    return x + 1")])
    assert page.of_kind("b", "sides") == [
        ["old", "new", " def f(x):\n-    return x\n+    return x + 1"]
    ]
    [[columns, *cells]] = page.of_kind("b", "table")
    assert (columns, cells[:3]) == ("3", ["", "old", "new"])
    assert cells[cells.index("Verdict") :][:3] == ["Verdict", "wrong answer", "passed"]


def test_a_table_of_scores_shows_what_the_results_of_samples_show(tmp_path):
    scores = [score("a", PASS, PASS), FAILED, RAISED.model_copy(update={"task_id": "c"})]
    frame = scores_table(scores)
    tables.write_table(frame, tables.SCORES, tmp_path / "scores.parquet")
    of_table = read_answers(tmp_path / "scores.parquet")
    assert of_table == read_answers(results(tmp_path / "results.jsonl", *scores))


def test_a_line_that_is_no_result_is_named(tmp_path):
    file = results(tmp_path / "results.jsonl", FAILED)
    file.write_text(file.read_text() + "{}\n")
    with pytest.raises(InputError, match=r"results\.jsonl:2: field 'task_id'"):
        read_answers(file)


def test_scores_without_a_message_are_shown_all_the_same(tmp_path):
    row = {"task_id": "a", "sample": 0, "code": "x", "verdict": "no_program", "base_passed": False}
    pl.DataFrame([row], schema=tables.SCORES).write_parquet(tmp_path / "s.parquet")
    [answer] = read_answers(tmp_path / "s.parquet")
    assert (answer.passed, answer.call, answer.message) == (False, "", "")
