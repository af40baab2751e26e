"""Local tables become problems by their mapped columns."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Case, FunctionTests, StdioCase, StdioTests
from iterpref_assets.core.seeds.columns import CheckFormat, ColumnMapping
from iterpref_assets.core.seeds.reading import Unusable
from iterpref_assets.core.seeds.table import TableSeeds

ROW = {
    "key": "a b/1", "question": "Add one.", "answer": "def f(x):\r\n    return x + 1",
    "checks": ["assert f(1) == 2"], "topics": ["sums"],
}  # fmt: skip
MAPPING = {
    "statement": "question", "tests": "checks", "test_format": "asserts", "id": "key",
    "reference": "answer", "features": "topics",
}  # fmt: skip


def seeds(path: Path, **changes: str | None) -> TableSeeds:
    columns = ColumnMapping.model_validate({**MAPPING, **changes})
    return TableSeeds(path=path, label="mine", columns=columns)


def write(path: Path, *rows: dict) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def write_parquet(path: Path, *rows: dict) -> Path:
    pl.DataFrame(rows).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("name", "writer"),
    [("t.jsonl", write), ("t.jsonl.gz", write), ("t.parquet", write_parquet)],
)
def test_each_kind_of_file_gives_the_same_problem(tmp_path: Path, name: str, writer) -> None:
    (problem,) = seeds(writer(tmp_path / name, ROW)).read().problems
    assert problem.problem_id == "mine/a_b/1"
    assert problem.prompt == "Add one.\n\nFunction signature:\ndef f(x):\n"
    assert problem.reference == "def f(x):\n    return x + 1"
    assert problem.features == ("sums",)
    case = Case(arguments="(1,)", expected="2")
    assert problem.tests == FunctionTests(entry_point="f", cases=(case,))


def test_without_an_id_rows_are_numbered(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", ROW, ROW)
    assert [each.problem_id for each in seeds(path, id=None).read().problems] == [
        "mine/1", "mine/2",
    ]  # fmt: skip


def test_whole_programs_are_tested_by_what_they_print(tmp_path: Path) -> None:
    checks = json.dumps({"inputs": ["1\n"], "outputs": ["2\n"]})
    path = write(tmp_path / "t.jsonl", {**ROW, "checks": checks})
    (problem,) = seeds(path, test_format=CheckFormat.STDIO).read().problems
    assert problem.tests == StdioTests(cases=(StdioCase(stdin="1\n", stdout="2\n"),))
    assert problem.prompt == "Add one."


def test_a_test_file_that_imports_nothing_is_given_the_solutions_names(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", {**ROW, "checks": "assert f(1) == 2"})
    (problem,) = seeds(path, test_format=CheckFormat.CODE).read().problems
    assert problem.tests.code == "from solution import *\nassert f(1) == 2"


@pytest.mark.parametrize(
    "code",
    [
        "# test the solution\nassert f(1) == 2",
        "solution = f(1)\nassert solution == 2",
        "assert f(1) == 2, 'a wrong solution'",
    ],
    ids=["comment", "variable", "text"],
)
def test_a_test_file_that_only_mentions_a_solution_is_given_the_solutions_names(
    tmp_path: Path, code: str
) -> None:
    path = write(tmp_path / "t.jsonl", {**ROW, "checks": code})
    (problem,) = seeds(path, test_format=CheckFormat.CODE).read().problems
    assert problem.tests.code == f"from solution import *\n{code}"


@pytest.mark.parametrize("line", ["from solution import f", "import os, solution as s\nf = s.f"])
def test_a_test_file_that_imports_the_solution_is_taken_as_it_is(tmp_path: Path, line: str) -> None:
    code = f"{line}\nassert f(1) == 2"
    path = write(tmp_path / "t.jsonl", {**ROW, "checks": code})
    (problem,) = seeds(path, test_format=CheckFormat.CODE).read().problems
    assert problem.tests.code == code


def test_only_a_newline_ends_an_assertion(tmp_path: Path) -> None:
    checks = "assert f('a\u2028b') == 1\r\nassert f('\x85') == 2\n"
    path = write(tmp_path / "t.jsonl", {**ROW, "checks": checks})
    (problem,) = seeds(path).read().problems
    assert [case.expected for case in problem.tests.cases] == ["1", "2"]


def test_typed_tests_are_taken_as_they_are(tmp_path: Path) -> None:
    tests = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),))
    path = write(tmp_path / "t.jsonl", {**ROW, "checks": tests.model_dump_json()})
    (problem,) = seeds(path, test_format=CheckFormat.TYPED).read().problems
    assert problem.tests == tests


@pytest.mark.parametrize(
    ("form", "checks", "reason"),
    [
        ("asserts", [], Unusable.NO_TESTS),
        ("asserts", None, Unusable.NO_TESTS),
        ("asserts", ["assert f(g(1)) == 1"], Unusable.NOT_A_LITERAL),
        ("asserts", 3, Unusable.MALFORMED),
        ("stdio", None, Unusable.NO_TESTS),
        ("stdio", {"inputs": [], "outputs": []}, Unusable.NO_TESTS),
        ("stdio", {"inputs": ["1"], "outputs": []}, Unusable.MALFORMED),
        ("stdio", {"inputs": [1], "outputs": [2]}, Unusable.MALFORMED),
        ("stdio", {"inputs": "12", "outputs": "34"}, Unusable.MALFORMED),
        ("stdio", {"inputs": ["1"], "outputs": 2}, Unusable.MALFORMED),
        ("stdio", [["1", "2"]], Unusable.MALFORMED),
        ("stdio", "3", Unusable.MALFORMED),
        ("stdio", "{half", Unusable.MALFORMED),
        ("code", "", Unusable.NO_TESTS),
        ("code", "print(f(1))", Unusable.MALFORMED),
        ("code", "assert f(", Unusable.MALFORMED),
        ("code", "def f(x): return 2\nassert f(1) == 2", Unusable.MALFORMED),
        ("typed", {"kind": "magic"}, Unusable.MALFORMED),
        ("typed", {"kind": "code", "code": "import solution\nassert True"}, Unusable.MALFORMED),
    ],
)
def test_a_row_without_usable_tests_is_named_with_its_reason(
    tmp_path: Path, form: str, checks: object, reason: Unusable
) -> None:
    path = write(tmp_path / "t.jsonl", {**ROW, "checks": checks})
    reading = seeds(path, test_format=form).read()
    assert reading.problems == []
    assert [(each.record, each.reason) for each in reading.unusable] == [("mine/a_b/1", reason)]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([ROW, {**ROW, "question": 3, "key": "b"}], "question"),
        ([ROW, {**ROW, "topics": "sums", "key": "b"}], "topics"),
        ([ROW, ROW], "key"),
        ([ROW, {"key": "b"}], "question"),
    ],
    ids=["no text", "features as text", "repeated id", "missing column"],
)
def test_the_first_fault_is_named_with_file_row_and_column(
    tmp_path: Path, rows: list[dict], field: str
) -> None:
    path = write(tmp_path / "t.jsonl", *rows)
    with pytest.raises(InputError) as caught:
        seeds(path).read()
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(path), 2, field)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rows"):
        seeds(write(tmp_path / "t.jsonl")).read()
