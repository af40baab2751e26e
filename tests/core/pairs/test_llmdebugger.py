"""Twenty recorded trajectories whose D+ and D- lines were checked by eye."""

import gzip
import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.reaching import reachable_programs
from iterpref_assets.core.pairs.recorded import (
    Recorded,
    disagreements,
    execute,
    read_trajectories,
)
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

GOLDEN = json.loads((Path(__file__).parent / "golden_llmdebugger.json").read_text())
LINE = {
    "task_id": "HumanEval/0",
    "prompt": "def f(a):\n    '''Add one.'''\n",
    "entry_point": "f",
    "test": "def check(candidate):\n    assert candidate(1) == 2\n",
    "implementations": ["def f(a):\n    return a", "def f(a):\n    return a + 1"],
    "is_solved": True,
    "reflections": ["not read"],
}
_ASKED = ("problem_id", "prompt", "tests", "entry_point", "signature")


@pytest.fixture(scope="session")
def golden(shared_data: Path) -> Recorded:
    """The golden trajectories as recorded."""
    folder = shared_data / "trajectories" / "llmdebugger"
    recorded = read_trajectories(sorted(folder.glob("*.jsonl.gz")))
    wanted = pl.col("trajectory_id").is_in([row["trajectory_id"] for row in GOLDEN])
    versions = recorded.versions.filter(wanted)
    names = set(versions["problem_id"])
    return Recorded(
        [problem for problem in recorded.problems if problem.problem_id in names],
        versions,
        recorded.claims.filter(wanted),
        [],
    )


def _prompts(recorded: Recorded) -> pl.DataFrame:
    return pl.DataFrame(
        [p.model_dump(include={"problem_id", "prompt", "entry_point"}) for p in recorded.problems]
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _write(folder: Path, *lines: dict) -> Path:
    file = folder / "model.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def test_golden_pairs_have_the_lines_that_were_checked_by_eye(golden: Recorded):
    verdicts = {
        (row["trajectory_id"], round_): verdict
        for row in GOLDEN
        for round_, verdict in enumerate(row["verdicts"])
    }
    found = [verdicts[key] for key in golden.versions.select("trajectory_id", "round").iter_rows()]
    tests = {each.problem_id: each.tests.model_dump_json() for each in golden.problems}
    versions = golden.versions.with_columns(
        reachable_programs(golden.versions, tests),
        verdict=pl.Series(found),
        error_type=pl.lit(""),
        feedback=pl.lit(""),
    )
    pairs = build_pairs(versions, _prompts(golden), PairConfig())
    shown = [
        {
            "trajectory_id": pair["trajectory_id"],
            "chosen_round": pair["chosen_round"],
            "rejected_round": pair["rejected_round"],
            "chosen_sha256": _digest(pair["chosen"]),
            "rejected_sha256": _digest(pair["rejected"]),
            "chosen_diff_lines": pair["chosen_diff_lines"],
            "rejected_diff_lines": pair["rejected_diff_lines"],
            "dropped_by": pair["dropped_by"],
        }
        for pair in pairs.iter_rows(named=True)
    ]
    assert shown == [
        {name: value for name, value in row.items() if name != "verdicts"}
        for row in GOLDEN
        if "chosen_round" in row
    ]


def test_only_a_newline_ends_a_record(tmp_path: Path):
    code = "def f(a):\n    return 'a\u2028b\x85c'"
    file = tmp_path / "model.jsonl"
    rows = [LINE | {"implementations": [code]}, LINE | {"task_id": "HumanEval/1"}]
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_text("".join(lines), encoding="utf-8")
    recorded = read_trajectories([file])
    assert recorded.versions["code"][0] == code
    assert recorded.claims.height == 2


def test_a_line_of_another_form_is_named_with_its_task(tmp_path: Path):
    with pytest.raises(InputError, match=r"model\.jsonl:1: .*task 'HumanEval/0': "):
        read_trajectories([_write(tmp_path, LINE | {"implementations": [None]})])


@pytest.mark.parametrize("own_first", [True, False])
def test_a_task_of_llmdebugger_is_not_given_as_of_another_source(tmp_path: Path, own_first: bool):
    theirs = _write(tmp_path, LINE)
    (problem,) = read_trajectories([theirs]).problems
    asked = problem.model_dump(mode="json", include=set(_ASKED))
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps({**asked, "source": "hw", "versions": ["x = 1"]}))
    files = [own, theirs] if own_first else [theirs, own]
    with pytest.raises(InputError, match="has other source than in") as caught:
        read_trajectories(files)
    assert all(file.name in str(caught.value) for file in files)


def test_a_line_that_is_no_utf_8_is_named(tmp_path: Path):
    file = tmp_path / "model.jsonl"
    file.write_bytes(json.dumps(LINE).encode() + b'\n{"task_id": "\xff"}\n')
    with pytest.raises(InputError, match=r"model\.jsonl:2:"):
        read_trajectories([file])


@pytest.mark.sandbox
def test_golden_trajectories_get_the_same_verdicts_again(golden: Recorded):
    from iterpref_assets.core.sandbox.sandbox import Sandbox

    with Sandbox() as sandbox:
        versions = execute(golden, sandbox.judge)
    found = versions.group_by("trajectory_id", maintain_order=True).agg("verdict").rows()
    assert dict(found) == {row["trajectory_id"]: row["verdicts"] for row in GOLDEN}
    assert disagreements(golden, versions).is_empty()


def test_a_recorded_verdict_is_never_taken_over(tmp_path):
    recorded = read_trajectories([_write(tmp_path, LINE)])
    versions = execute(recorded, lambda _code, _tests: Execution(Verdict.TIMEOUT, "", "too slow"))
    assert versions["verdict"].to_list() == ["timeout", "timeout"]
    assert versions["feedback"].to_list() == ["too slow", "too slow"]
    assert disagreements(recorded, versions).rows() == [("HumanEval/0#model", True, "timeout", "")]


def test_a_trajectory_is_named_by_task_and_file(tmp_path):
    recorded = read_trajectories([_write(tmp_path, LINE)])
    assert recorded.versions.drop("code").rows() == [
        ("HumanEval/0#model", "HumanEval/0", 0, 0),
        ("HumanEval/0#model", "HumanEval/0", 0, 1),
    ]


def test_the_task_becomes_a_problem_whose_tests_call_its_check(tmp_path):
    (problem,) = read_trajectories([_write(tmp_path, LINE)]).problems
    assert problem.signature == "def f(a):"
    assert problem.tests.code == (
        "from solution import *\ndef check(candidate):\n    assert candidate(1) == 2\n\ncheck(f)\n"
    )


def test_tests_that_call_check_themselves_are_not_called_twice(tmp_path):
    line = LINE | {"test": LINE["test"] + "check(f)\n"}
    (problem,) = read_trajectories([_write(tmp_path, line)]).problems
    assert problem.tests.code.count("check(f)") == 1


def test_zipped_and_plain_files_read_the_same(tmp_path):
    plain = _write(tmp_path, LINE)
    zipped = tmp_path / "zipped" / "model.jsonl.gz"
    zipped.parent.mkdir()
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_trajectories([zipped]).versions.equals(read_trajectories([plain]).versions)


def test_a_malformed_line_is_named(tmp_path):
    bad = {name: value for name, value in LINE.items() if name != "test"}
    with pytest.raises(InputError, match=r"model\.jsonl:2: field 'test'"):
        read_trajectories([_write(tmp_path, LINE, bad)])


def test_a_task_that_a_file_holds_twice_is_refused(tmp_path):
    other = LINE | {"task_id": "HumanEval/1"}
    with pytest.raises(InputError, match=r"model\.jsonl:3: .*'HumanEval/0#model' was read before"):
        read_trajectories([_write(tmp_path, LINE, other, LINE)])


@pytest.mark.parametrize("name", ["model.jsonl", "model.jsonl.gz"])
def test_a_trajectory_of_another_file_of_the_same_name_is_refused(tmp_path, name):
    first = _write(tmp_path, LINE)
    second = tmp_path / "other" / name
    second.parent.mkdir()
    content = first.read_bytes()
    second.write_bytes(gzip.compress(content) if second.suffix == ".gz" else content)
    with pytest.raises(InputError, match="was read before") as caught:
        read_trajectories([first, second])
    assert (caught.value.file, caught.value.line, caught.value.field) == (second, 1, "task_id")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.jsonl"):
        read_trajectories([tmp_path / "none.jsonl"])


def test_a_damaged_gzip_is_named(damaged_gzip):
    with pytest.raises(InputError, match=r"damaged\.jsonl\.gz"):
        read_trajectories([damaged_gzip])
