import json
from dataclasses import dataclass, field

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.sample_scoring import score_samples
from iterpref_assets.core.evaluation.samples import Sample, SampleFile
from iterpref_assets.core.evaluation.scores import SampleStatus, Statuses
from iterpref_assets.core.evaluation.suite import DataSource, PreparedBenchmark
from iterpref_assets.core.evaluation.tasks import Judgement
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

SOURCE = DataSource(benchmark="toy", sha256="s", md5="m")


@dataclass
class ToyTask:
    """A program is the verdict it gets, for base and plus tests."""

    task_id: str
    messages: tuple = ()
    has_plus: bool = True

    def program(self, completion):
        return completion

    def judge(self, code, sandbox):
        sandbox.judged.append((self.task_id, code))
        if code == sandbox.fails_on:
            raise ConnectionError("sandbox lost")
        base, plus = (
            Execution(Verdict(part), "KeyError" if part == "exception" else "", cpu_seconds=0.5)
            for part in code.split()
        )
        return Judgement(base, plus)


@dataclass
class Recorder:
    fails_on: str = ""
    judged: list = field(default_factory=list)


def toy(**changes) -> PreparedBenchmark:
    tasks = {name: ToyTask(name) for name in ("a", "b")}
    return PreparedBenchmark(SOURCE, tasks, **changes)


def samples(*pairs) -> SampleFile:
    counted: dict = {}
    made = []
    for task, code in pairs:
        made.append(Sample(task, counted.get(task, 0), code))
        counted[task] = counted.get(task, 0) + 1
    return SampleFile(made, 0)


def lines(folder):
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def test_results_hold_both_statuses_in_the_order_of_the_file(tmp_path):
    file = samples(("b", "passed timeout"), ("a", "exception passed"), ("b", "passed passed"))
    score_samples(toy(), file, Recorder(), tmp_path, 2)
    shown = [
        (
            r["task_id"],
            r["sample"],
            r["base_status"],
            r["plus_status"],
            r["verdict"],
            r["error_type"],
        )
        for r in lines(tmp_path)
    ]
    assert shown == [
        ("b", 0, "pass", "timeout", "timeout", ""),
        ("a", 0, "fail", "pass", "exception", "KeyError"),
        ("b", 1, "pass", "pass", "passed", ""),
    ]


def test_the_summary_counts_plus_only_where_both_pass(tmp_path):
    file = samples(("b", "passed timeout"), ("a", "exception passed"), ("b", "passed passed"))
    _, summary = score_samples(toy(), file, Recorder(), tmp_path, 1)
    # Base: a 0 of 1, b 2 of 2; plus: a 0 of 1, b 1 of 2.
    assert summary.base == {"pass@1": 0.5}
    assert summary.plus == {"pass@1": 0.25}
    assert (summary.tasks, summary.samples, summary.cpu_seconds) == (2, 3, 3.0)
    assert [(e.error_type, e.count) for e in summary.error_types] == [
        ("KeyError", 1),
        ("timeout", 1),
    ]
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(
        summary.model_dump_json()
    )


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    file = samples(("a", "passed passed"), ("b", "timeout timeout"))
    with pytest.raises(ConnectionError):
        score_samples(toy(), file, Recorder(fails_on="timeout timeout"), tmp_path, 1)
    again = Recorder()
    _, summary = score_samples(toy(), file, again, tmp_path, 1)
    assert again.judged == [("b", "timeout timeout")]
    assert summary.samples == 2


def test_a_changed_program_is_judged_anew_and_its_old_result_dropped(tmp_path):
    score_samples(toy(), samples(("a", "passed passed")), Recorder(), tmp_path, 1)
    changed = samples(("a", "timeout timeout"))
    _, summary = score_samples(toy(), changed, Recorder(), tmp_path, 1)
    assert summary.base == {"pass@1": 0.0}
    assert len(lines(tmp_path)) == 1


def test_results_of_other_data_are_not_mixed(tmp_path):
    file = samples(("a", "passed passed"))
    score_samples(toy(), file, Recorder(), tmp_path, 1)
    other = PreparedBenchmark(DataSource(benchmark="toy", sha256="other", md5="m"), toy().tasks)
    with pytest.raises(InputError, match="other settings"):
        score_samples(other, file, Recorder(), tmp_path, 1)


def test_a_task_that_cannot_run_is_reported_and_enters_no_rate(tmp_path):
    file = samples(("a", "passed passed"), ("b", "timeout timeout"))
    recorder = Recorder()
    _, summary = score_samples(toy(not_run={"b": "needs sklearn"}), file, recorder, tmp_path, 1)
    assert summary.base == {"pass@1": 1.0}
    assert summary.tasks_not_run == {"b": "needs sklearn"}
    assert recorder.judged == [("a", "passed passed")]
    assert (lines(tmp_path)[1]["verdict"], lines(tmp_path)[1]["error_type"]) == (
        "not_run",
        "needs sklearn",
    )


def test_a_sample_that_could_not_run_is_judged_once_its_task_can(tmp_path):
    file = samples(("a", "passed passed"), ("b", "timeout timeout"))
    score_samples(toy(not_run={"b": "needs sklearn"}), file, Recorder(), tmp_path, 1)
    again = Recorder()
    _, summary = score_samples(toy(), file, again, tmp_path, 1)
    assert again.judged == [("b", "timeout timeout")]
    assert summary.samples == 2


def test_results_with_other_libraries_are_not_mixed(tmp_path):
    file = samples(("a", "passed passed"))
    score_samples(toy(libraries={"numpy": "1.26.4"}), file, Recorder(), tmp_path, 1)
    with pytest.raises(InputError, match=r"field 'libraries': .*other settings"):
        score_samples(toy(libraries={"numpy": "2.0.0"}), file, Recorder(), tmp_path, 1)


def test_a_listed_fault_is_written_beside_the_status(tmp_path):
    def listed(task_id, statuses):
        return Statuses(base=SampleStatus.FAIL, plus=SampleStatus.FAIL) if task_id == "a" else None

    file = samples(("a", "passed passed"), ("b", "passed passed"))
    score_samples(toy(listed_fault=listed), file, Recorder(), tmp_path, 1)
    assert [r["evalplus_status"] for r in lines(tmp_path)] == [
        {"base": "fail", "plus": "fail"},
        None,
    ]


def test_tasks_without_a_sample_are_counted(tmp_path):
    _, summary = score_samples(toy(), samples(("a", "passed passed")), Recorder(), tmp_path, 1)
    assert summary.tasks_without_sample == 1


def test_the_tasks_that_take_longest_are_judged_first(tmp_path):
    sandbox = Recorder()
    file = samples(("a", "passed passed"), ("b", "passed passed"))
    score_samples(toy(cpu_seconds={"a": 0.1, "b": 9.0}), file, sandbox, tmp_path, 1)
    assert [task for task, _ in sandbox.judged] == ["b", "a"]
