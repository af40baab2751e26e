"""Results in the form of each benchmark's own harness."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.evaluation.official_results import write_official
from iterpref_assets.core.evaluation.sample_summary import summarize_samples
from iterpref_assets.core.evaluation.scores import SampleStatus, score_of, score_without_run
from iterpref_assets.core.evaluation.suite import DataSource, PreparedBenchmark
from iterpref_assets.core.evaluation.tasks import Judgement
from iterpref_assets.core.sandbox.verdicts import Execution, Failure, Verdict

PASSED = Execution(Verdict.PASSED)
WRONG = Execution(Verdict.WRONG_ANSWER, failing_case=0, failure=Failure("f(1)", "2", "3"))


def written(folder, benchmark, *scores):
    source = DataSource(benchmark=benchmark, sha256="s", md5="m")
    prepared = PreparedBenchmark(source, dict.fromkeys({each.task_id for each in scores}))
    summary = summarize_samples(prepared, scores, seconds=0, invalid=0, fenced=0, asked=1)
    files = write_official(Path("mine.jsonl.gz"), folder, summary, scores)
    return {file.name: json.loads(file.read_text()) for file in files}


def test_evalplus_has_both_statuses_the_hash_and_what_failed(tmp_path):
    scores = [score_of("T/0", 0, "x", Judgement(PASSED, WRONG))]
    (content,) = written(tmp_path, "humaneval", *scores).values()
    assert content["hash"] == "m"
    assert content["pass_at_k"] == {"base": {"pass@1": 1.0}, "plus": {"pass@1": 0.0}}
    assert content["eval"]["T/0"] == [
        {
            "task_id": "T/0",
            "solution": "x",
            "base_status": "pass",
            "plus_status": "fail",
            "base_fail_tests": [],
            "plus_fail_tests": ["f(1)"],
        }
    ]


def test_bigcodebench_has_its_rates_in_a_file_of_their_own(tmp_path):
    files = written(
        tmp_path, "bigcodebench hard complete", score_of("B/1", 0, "x", Judgement(PASSED))
    )
    assert files["mine_eval_results.json"]["eval"]["B/1"][0]["status"] == "pass"
    assert files["mine_pass_at_k.json"] == {
        "pass@1": 1.0,
        "split": "complete",
        "subset": "hard",
        "calibrated": True,
    }


def test_livecodebench_has_a_problem_with_all_its_programs(tmp_path):
    scores = [score_of("q", 0, "a", Judgement(PASSED)), score_of("q", 1, "b", Judgement(WRONG))]
    (rows,) = written(tmp_path, "livecodebench 2024-01-01..2024-01-02", *scores).values()
    assert [(row["question_id"], row["code_list"], row["graded_list"]) for row in rows] == [
        ("q", ["a", "b"], [True, False])
    ]
    assert rows[0]["pass@1"] == 0.5
    assert rows[0]["metadata"][1]["expected"] == "2"


@pytest.mark.parametrize("benchmark", ["humaneval", "bigcodebench full complete"])
def test_samples_that_could_not_run_are_left_out(tmp_path, benchmark):
    scores = [
        score_of("T/0", 0, "x", Judgement(PASSED)),
        score_without_run("T/1", 0, "x", SampleStatus.NOT_RUN, "not_run"),
    ]
    assert list(written(tmp_path, benchmark, *scores)["mine_eval_results.json"]["eval"]) == ["T/0"]
