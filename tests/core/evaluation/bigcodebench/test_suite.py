import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.bigcodebench.data import (
    BigCodeBenchProblem,
    BigCodeBenchSplit,
    BigCodeBenchSubset,
    load_bigcodebench,
)
from iterpref_assets.core.evaluation.bigcodebench.libraries import (
    imported_modules,
    installed_versions,
    missing_modules,
)
from iterpref_assets.core.evaluation.bigcodebench.suite import (
    BigCodeBenchSuite,
    preloaded,
    reason_not_run,
)
from iterpref_assets.core.evaluation.bigcodebench.tasks import LIMITS, BigCodeBenchTask, task_limits
from iterpref_assets.core.evaluation.config import JudgingLimits
from iterpref_assets.core.evaluation.references import run_references
from iterpref_assets.core.evaluation.sample_scoring import SampleRun, score_file
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

TEST = """import unittest
class TestCases(unittest.TestCase):
    def test_mean(self):
        self.assertEqual(task_func([1, 3]), 2)
    def test_other(self):
        self.assertEqual(task_func([4]), 4)
"""
MEAN = {
    "task_id": "BigCodeBench/0",
    "complete_prompt": 'import numpy as np\ndef task_func(xs):\n    """Mean."""',
    "instruct_prompt": "Give the mean. Start with:\n```\nimport numpy as np\n```",
    "canonical_solution": "    return np.mean(xs)",
    "code_prompt": "import numpy as np\ndef task_func(xs):",
    "test": TEST,
    "entry_point": "task_func",
    "libs": "['numpy']",
}
ABSENT = MEAN | {
    "task_id": "BigCodeBench/1",
    "complete_prompt": "import no_such_library\ndef task_func(xs):",
}
ONLINE = MEAN | {
    "task_id": "BigCodeBench/2",
    "canonical_solution": "    import socket\n    socket.create_connection(('192.0.2.1', 80), 1)",
}


WRONG = MEAN | {"task_id": "BigCodeBench/3", "canonical_solution": "    return 0"}
TASKS = [row["task_id"] for row in (MEAN, ABSENT, ONLINE, WRONG)]
LIBRARIES = Path(np.__file__).parents[1]


def write(folder, *rows, hard=()):
    path = folder / "bigcode.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "bigcodebench_hard_ids.json").write_text(json.dumps(hard))
    return path


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("data"), MEAN, ABSENT, ONLINE, WRONG)
    return BigCodeBenchSuite(load_bigcodebench(path), BigCodeBenchSplit.COMPLETE, LIBRARIES)


@pytest.fixture(scope="module")
def sandbox(suite):
    with suite.open_sandbox(1) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def tasks(suite, tmp_path_factory):
    return suite.tasks(PromptStyle.PREFILLED, None, tmp_path_factory.mktemp("unused"), 1)


def test_what_is_loaded_before_programs_may_lie_within_a_library(tmp_path):
    for name in ("numpy", "matplotlib"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    assert preloaded(tmp_path) == ["numpy", "matplotlib.pyplot"]
    assert preloaded(None) == []


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("import numpy as np\ndef task_func(xs):\n    return np.mean(xs)", Verdict.PASSED),
        ("def task_func(xs):\n    return np.mean(xs)", Verdict.PASSED),
        ("def task_func(xs):\n    return 2", Verdict.WRONG_ANSWER),
        ("def task_func(xs):\n    return xs['a']", Verdict.EXCEPTION),
        ("def other(xs):\n    return 2", Verdict.WRONG_ANSWER),
    ],
)
def test_a_program_is_judged_by_the_test_class(tasks, sandbox, code, verdict):
    judgement = tasks["BigCodeBench/0"].judge(code, sandbox)
    assert judgement.base.verdict is verdict
    assert judgement.plus is None


@pytest.mark.sandbox
@pytest.mark.parametrize(("patched", "beside"), [("", False), ("    mock = None\n", True)])
def test_only_verdicts_of_tests_beside_the_candidate_say_so(sandbox, patched, beside):
    problem = BigCodeBenchProblem.model_validate(MEAN | {"test": TEST + patched})
    task = BigCodeBenchTask(problem, BigCodeBenchSplit.COMPLETE, PromptStyle.CHAT)
    execution = task.judge("def task_func(xs):\n    return np.mean(xs)", sandbox).base
    assert execution.passed
    assert execution.in_process is beside


@pytest.mark.sandbox
@pytest.mark.parametrize("patched", ["", "    mock = None\n"])
def test_a_program_may_lack_an_import_that_its_tests_have(sandbox, patched):
    problem = BigCodeBenchProblem.model_validate(MEAN | {"test": f"import math\n{TEST}{patched}"})
    task = BigCodeBenchTask(problem, BigCodeBenchSplit.COMPLETE, PromptStyle.CHAT)
    code = "def task_func(xs):\n    return math.fsum(xs) / len(xs)"
    assert task.judge(code, sandbox).base.passed


@pytest.mark.sandbox
def test_names_of_the_prompt_stay_the_tests_own(sandbox):
    shown = {
        "code_prompt": "import math\ndef task_func(xs):",
        "test": TEST.replace("2)", "math.floor(2))"),
    }
    task = BigCodeBenchTask(
        BigCodeBenchProblem.model_validate(MEAN | shown),
        BigCodeBenchSplit.COMPLETE,
        PromptStyle.CHAT,
    )
    code = "math = None\ndef task_func(xs):\n    return sum(xs) / len(xs)"
    assert task.judge(code, sandbox).base.passed


@pytest.mark.sandbox
def test_each_task_says_whether_it_can_run_and_what_its_reference_came_to(
    suite, tasks, sandbox, tmp_path
):
    results = run_references(suite, tasks, sandbox, tmp_path, 1)
    assert [(r.verdict, r.not_run, r.fails) for r in results] == [
        ("passed", "", False),
        ("not_tried", "not installed: no_such_library", False),
        ("exception", "needs the network", False),
        ("wrong_answer", "", True),
    ]


@pytest.mark.sandbox
def test_references_that_have_been_run_are_not_run_again(suite, tasks, sandbox, tmp_path):
    known = {name: task for name, task in tasks.items() if name != "BigCodeBench/3"}
    first = run_references(suite, known, sandbox, tmp_path, 1)
    assert not any(result.fails for result in first)
    assert run_references(suite, known, None, tmp_path, 1) == first


@pytest.mark.sandbox
def test_a_reference_that_fails_for_no_known_reason_stops_the_scoring(suite, sandbox, tmp_path):
    with pytest.raises(InputError, match="1 reference solutions fail here, first BigCodeBench/3"):
        suite.ready(sandbox, tmp_path, 1, TASKS)


@pytest.mark.sandbox
def test_its_remedy_names_the_versions_of_the_libraries(suite, sandbox, tmp_path):
    with pytest.raises(InputError, match=r"requirements/bigcodebench\.txt"):
        suite.ready(sandbox, tmp_path, 1, TASKS)


@pytest.mark.sandbox
def test_a_run_without_libraries_is_not_taken_up_with_them(tmp_path):
    data = load_bigcodebench(write(tmp_path, MEAN))
    file = tmp_path / "samples.jsonl"
    file.write_text(json.dumps({"task_id": MEAN["task_id"], "completion": "    return sum(xs)"}))
    run = SampleRun(file, tmp_path / "out", tmp_path / "cache", 1)
    summary, _ = score_file(BigCodeBenchSuite(data, BigCodeBenchSplit.COMPLETE, None), run)
    assert summary.samples == 0
    with pytest.raises(InputError, match="field 'libraries'"):
        score_file(BigCodeBenchSuite(data, BigCodeBenchSplit.COMPLETE, LIBRARIES), run)


@pytest.mark.sandbox
def test_scores_by_another_version_of_judging_are_not_taken_up(tmp_path):
    data = load_bigcodebench(write(tmp_path, ABSENT))
    suite = BigCodeBenchSuite(data, BigCodeBenchSplit.COMPLETE, None)
    file = tmp_path / "samples.jsonl"
    file.write_text(json.dumps({"task_id": ABSENT["task_id"], "completion": "    return 0"}))
    run = SampleRun(file, tmp_path / "out", tmp_path / "cache", 1)
    score_file(suite, run)
    suite.facts = replace(suite.facts, judging=suite.facts.judging - 1)
    with pytest.raises(InputError, match="field 'judging'"):
        score_file(suite, run)


@pytest.mark.sandbox
def test_tasks_may_start_commands_and_write_below_tmp(sandbox):
    code = (
        "import subprocess\n"
        "def f():\n"
        "    subprocess.run(['sh', '-c', 'echo hello > /tmp/said'], check=True)\n"
        "    return open('/tmp/said').read()\n"
    )
    for _ in range(2):
        (outcome,) = sandbox.run_calls(code, "f", [()]).outcomes
        assert outcome.value() == "hello\n"
        (outcome,) = sandbox.run_calls(
            "import os\ndef f(): return os.listdir('/tmp')", "f", [()]
        ).outcomes
        assert outcome.value() == []


@pytest.mark.parametrize(
    ("error_type", "message", "reason"),
    [
        ("gaierror", "[Errno -3] Temporary failure in name resolution", "needs the network"),
        ("OSError", "[Errno 38] Function not implemented", "needs the network"),
        (
            "LookupError",
            "****** Resource \x1b[93mpunkt\x1b[0m not found",
            "needs data that its library fetches: punkt",
        ),
        ("FileNotFoundError", "No such file or directory: '/proc/meminfo'", "needs /proc"),
        ("FileNotFoundError", "No such file or directory: 'unzip'", "needs the command unzip"),
        ("FileNotFoundError", "No such file or directory: '/box/a.csv'", ""),
        ("KeyError", "'x'", ""),
    ],
)
def test_only_what_is_lacking_here_excuses_a_reference(error_type, message, reason):
    execution = Execution(Verdict.EXCEPTION, error_type, message)
    assert reason_not_run("BigCodeBench/0", execution) == reason


def test_a_failure_that_does_not_tell_why_is_excused_for_listed_tasks_only():
    execution = Execution(Verdict.WRONG_ANSWER, message="None != 'dns.google'")
    assert reason_not_run("BigCodeBench/176", execution) == "needs the network"
    assert reason_not_run("BigCodeBench/177", execution) == ""


def test_limits_that_are_given_take_the_place_of_the_benchmarks():
    given = JudgingLimits(seconds=3, memory_gib=0.5)
    assert task_limits(given) == replace(LIMITS, cpu_seconds=3, memory_bytes=1 << 29)


def test_imports_inside_functions_and_tests_count():
    problem = BigCodeBenchProblem.model_validate(MEAN).model_copy(
        update={"test": "def f():\n    from sklearn.svm import SVC\nimport os.path"}
    )
    assert imported_modules(problem) == {"numpy", "sklearn"}


def test_what_a_folder_of_libraries_holds_is_found_without_importing_it():
    assert missing_modules(["numpy", "no_such_library"], LIBRARIES) == ["no_such_library"]
    assert missing_modules(["numpy"], None) == ["numpy"]
    assert installed_versions(LIBRARIES)["numpy"] == np.__version__
    assert installed_versions(None) == {}


@pytest.mark.parametrize(
    ("split", "style", "user", "assistant"),
    [
        (
            BigCodeBenchSplit.COMPLETE,
            PromptStyle.PREFILLED,
            "block:\n```\nimport numpy",
            "```python\n",
        ),
        (BigCodeBenchSplit.INSTRUCT, PromptStyle.CHAT, "block:\nGive the mean.", None),
        (BigCodeBenchSplit.COMPLETE, PromptStyle.COMPLETION, MEAN["complete_prompt"], None),
    ],
)
def test_a_task_is_asked_as_the_benchmark_asks_it(split, style, user, assistant):
    messages = BigCodeBenchTask(BigCodeBenchProblem.model_validate(MEAN), split, style).messages
    assert user in messages[0].content
    assert messages[1].content.endswith(assistant) if assistant else len(messages) == 1


@pytest.mark.parametrize("style", [PromptStyle.PREFILLED, PromptStyle.COMPLETION])
def test_a_completion_that_ends_behind_any_stop_holds_the_same_program(style):
    problem = BigCodeBenchProblem.model_validate(MEAN)
    task = BigCodeBenchTask(problem, BigCodeBenchSplit.COMPLETE, style)
    assert len(task.stops) > 1
    for stop in task.stops:
        ended = f"    return np.mean(xs)\n{stop}"
        assert task.program(f"{ended}and more") == task.program(ended)


def test_a_plain_chat_ends_at_no_text_since_later_blocks_may_count():
    problem = BigCodeBenchProblem.model_validate(MEAN)
    assert BigCodeBenchTask(problem, BigCodeBenchSplit.INSTRUCT, PromptStyle.CHAT).stops == ()


def test_hard_tasks_are_those_that_the_list_beside_the_file_names(tmp_path):
    path = write(tmp_path, MEAN, ABSENT, hard=["BigCodeBench/1"])
    assert list(load_bigcodebench(path, BigCodeBenchSubset.HARD).problems) == ["BigCodeBench/1"]
    suite = BigCodeBenchSuite(load_bigcodebench(path), BigCodeBenchSplit.COMPLETE, None)
    assert suite.facts.groups == {"BigCodeBench/1": "hard"}


@pytest.mark.parametrize("content", ["{}", "no JSON", None])
def test_without_that_list_it_is_asked_for(tmp_path, content):
    path = write(tmp_path, MEAN)
    ids = tmp_path / "bigcodebench_hard_ids.json"
    ids.unlink() if content is None else ids.write_text(content)
    with pytest.raises(InputError, match=r"bigcodebench_hard_ids.json: "):
        load_bigcodebench(path)


def test_a_task_without_a_field_is_named(tmp_path):
    row = {name: value for name, value in MEAN.items() if name != "test"}
    with pytest.raises(InputError, match=r"bigcode.jsonl:2: field 'test'"):
        load_bigcodebench(write(tmp_path, MEAN, row), BigCodeBenchSubset.FULL)


@pytest.mark.parametrize(
    ("subset", "tasks"), [(BigCodeBenchSubset.FULL, 1140), (BigCodeBenchSubset.HARD, 148)]
)
def test_the_published_file_holds_all_tasks(shared_data, subset, tasks):
    path = shared_data / "benchmarks" / "BigCodeBench-v0.1.4.jsonl.gz"
    assert len(load_bigcodebench(path, subset).problems) == tasks


def test_no_task_sleeps_as_long_as_what_only_waits_may(shared_data):
    problems = load_bigcodebench(
        shared_data / "benchmarks" / "BigCodeBench-v0.1.4.jsonl.gz"
    ).problems
    texts = [problem.reference + problem.test for problem in problems.values()]
    longest = max(int(each) for text in texts for each in re.findall(r"sleep\((\d+)\)", text))
    assert longest == 62
    assert longest < LIMITS.idle_seconds


def test_a_damaged_gzip_is_named(damaged_gzip):
    with pytest.raises(InputError, match=r"damaged\.jsonl\.gz"):
        load_bigcodebench(damaged_gzip)
