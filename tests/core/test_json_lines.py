"""What is wrong with a line of JSON is told by the names that the line has."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.json_lines import line_error
from iterpref_assets.core.records import Problem

GOOD: dict[str, Any] = {
    "problem_id": "p/1",
    "source": "mine",
    "prompt": "Add one.",
    "tests": {"kind": "function", "entry_point": "f", "cases": []},
}


def error_of(line: str) -> InputError:
    with pytest.raises(ValidationError) as caught:
        Problem.model_validate_json(line)
    return line_error(
        caught.value, Problem, line, file=Path("mine.jsonl"), number=7, remedy="Read the docs"
    )


def with_case(**case: Any) -> str:
    return json.dumps({**GOOD, "tests": {**GOOD["tests"], "cases": [case]}})


def test_a_misspelt_field_gets_the_nearest_one_though_another_is_missing() -> None:
    line = json.dumps({name.replace("prompt", "promt"): value for name, value in GOOD.items()})
    assert str(error_of(line)) == (
        "mine.jsonl:7: field 'promt': unknown field. Did you mean prompt? Read the docs"
    )


def test_a_misspelt_field_of_a_case_is_told_without_the_kinds_that_were_tried() -> None:
    error = error_of(with_case(arguments="(1,)", expect="2"))
    assert error.field == "tests.cases.0.expect"
    assert "Did you mean expected" in error.remedy


def test_a_value_of_the_wrong_type_is_told_before_the_fields_that_another_kind_lacks() -> None:
    error = error_of(with_case(arguments=[1], expected="2"))
    assert (error.field, error.problem) == (
        "tests.cases.0.arguments",
        "[1] is no text: put it in quotes",
    )


def test_a_missing_field_is_named() -> None:
    error = error_of(json.dumps({**GOOD, "tests": {"kind": "stdio"}}))
    assert (error.field, error.problem) == ("tests.cases", "missing")


@pytest.mark.parametrize(
    ("tests", "problem"),
    [
        ({"kind": "stdin", "cases": []}, "not one of 'function', 'stdio', 'code'"),
        ({"cases": []}, "missing"),
    ],
)
def test_a_kind_that_is_not_known_is_told_at_its_key(tests: Any, problem: str) -> None:
    error = error_of(json.dumps({**GOOD, "tests": tests}))
    assert (error.field, error.problem) == ("tests.kind", problem)


@pytest.mark.parametrize("line", ["[", json.dumps([GOOD])])
def test_an_array_is_told_to_become_lines(line: str) -> None:
    assert "jq -c '.[]' mine.jsonl" in error_of(line).remedy


def test_what_is_no_json_is_told_as_the_parser_tells_it() -> None:
    assert error_of("{half").problem.startswith("Invalid JSON")
