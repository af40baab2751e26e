"""Canonical cases become Python calls, and what cannot is named with its reason."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Case, RaisingCase
from iterpref_assets.core.seeds.exercism import ExercismSeeds
from iterpref_assets.core.seeds.exercism_cases import python_name
from iterpref_assets.core.seeds.reading import SeedReading, Unusable


def case(expected, prop: str = "sharedBirthday", uuid: str = "u", **changes) -> dict:
    return {
        "uuid": uuid, "description": "d", "property": prop, "expected": expected,
        "input": {"firstDay": 1, "list": [2]}, **changes,
    }  # fmt: skip


def exercise(*cases: dict, slug: str = "days", **changes) -> dict:
    return {
        "slug": slug, "deprecated": False, "introduction": None, "instructions": None,
        "description": "# Description\n\nCount days.\n\n[link]: there\n", "metadata": {},
        "canonical_data": {"exercise": slug, "cases": list(cases)}, **changes,
    }  # fmt: skip


def read(tmp_path: Path, *exercises: dict) -> SeedReading:
    path = tmp_path / "specifications.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in exercises))
    return ExercismSeeds(path=path).read()


def reasons(reading: SeedReading) -> list[tuple[str, Unusable]]:
    return [(each.record, each.reason) for each in reading.unusable]


def test_a_property_becomes_a_python_function_with_its_inputs_in_order(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, exercise(case(3))).problems
    assert problem.problem_id == "exercism/days/sharedBirthday"
    assert problem.signature == "def shared_birthday(first_day: int, list_: list[int]) -> int:"
    assert problem.tests.cases == (Case(arguments="(1, [2])", expected="3"),)


def test_the_statement_loses_its_heading_and_its_link_targets(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, exercise(case(3))).problems
    assert problem.prompt.startswith("Count days.\n\nFunction signature:")


def test_an_expected_error_becomes_a_value_error_and_the_prompt_says_so(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, exercise(case(3), case({"error": "too late"}))).problems
    assert problem.tests.cases[1] == RaisingCase(arguments="(1, [2])", raises="ValueError")
    assert "raise `ValueError`" in problem.prompt


def test_without_an_expected_error_the_prompt_speaks_of_none(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, exercise(case(3))).problems
    assert "ValueError" not in problem.prompt


def test_nested_groups_of_cases_are_read_in_order(tmp_path: Path) -> None:
    nested = {"description": "group", "cases": [case(4), {"cases": [case(5)]}]}
    (problem,) = read(tmp_path, exercise(case(3), nested)).problems
    assert [each.expected for each in problem.tests.cases] == ["3", "4", "5"]


def test_a_case_that_another_replaces_is_left_out(tmp_path: Path) -> None:
    newer = case(4, uuid="v", reimplements="u")
    (problem,) = read(tmp_path, exercise(case(3), newer)).problems
    assert [each.expected for each in problem.tests.cases] == ["4"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (case(1.5), Unusable.INEXACT),
        (case([{"a": 1.5}]), Unusable.INEXACT),
        (case(3, input={"firstDay": "(x) -> x + 1", "list": []}), Unusable.FUNCTION_ARGUMENT),
        (case(3, scenarios=["random"]), Unusable.RANDOM),
        (case(3, input={"firstDay": 1}), Unusable.OTHER_INPUTS),
    ],
)
def test_a_case_that_is_no_certain_call_is_left_out_by_name(
    tmp_path: Path, bad: dict, reason: Unusable
) -> None:
    reading = read(tmp_path, exercise(case(3), bad, case(4)))
    assert [each.expected for each in reading.problems[0].tests.cases] == ["3", "4"]
    assert reasons(reading) == [("exercism/days/sharedBirthday#1", reason)]


def test_a_property_that_expects_errors_alone_is_no_problem(tmp_path: Path) -> None:
    reading = read(tmp_path, exercise(case({"error": "always"})))
    assert reading.problems == []
    assert reasons(reading) == [("exercism/days/sharedBirthday", Unusable.ERRORS_ONLY)]


@pytest.mark.parametrize(
    "bad",
    [
        case(3, input={"firstDay": 1, "list": ["pi/4"]}),
        case(3, input={"firstDay": 1, "list": ["ln(2)"]}),
        case("moment === moment"),
        case({"a": "score >= 3 && score <= 18"}),
    ],
)
def test_a_property_with_a_formula_as_text_is_no_problem(tmp_path: Path, bad: dict) -> None:
    reading = read(tmp_path, exercise(case(3), bad))
    assert reading.problems == []
    assert reasons(reading) == [("exercism/days/sharedBirthday", Unusable.EXPRESSION)]


def test_an_error_is_no_expression_whatever_its_message(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, exercise(case(3), case({"error": "base must be >= 2"}))).problems
    assert isinstance(problem.tests.cases[1], RaisingCase)


def test_an_argument_may_be_an_equation(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, exercise(case(3, input={"puzzle": "A == B"}))).problems
    assert problem.tests.cases == (Case(arguments="('A == B',)", expected="3"),)


def test_a_property_whose_steps_alone_say_what_to_expect_is_no_problem(tmp_path: Path) -> None:
    reading = read(tmp_path, exercise(case({}), case({"error": "full"}), case({})))
    assert reading.problems == []
    assert reasons(reading) == [("exercism/days/sharedBirthday", Unusable.NO_RESULT)]


def test_an_empty_result_beside_another_is_a_result(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, exercise(case({}), case({"a": 1}))).problems
    assert [each.expected for each in problem.tests.cases] == ["{}", "{'a': 1}"]


def test_deprecated_and_untested_exercises_are_named(tmp_path: Path) -> None:
    reading = read(
        tmp_path, exercise(case(3), deprecated=True), exercise(slug="b", canonical_data=None)
    )
    assert reasons(reading) == [
        ("exercism/days", Unusable.DEPRECATED), ("exercism/b", Unusable.NO_TESTS),
    ]  # fmt: skip


@pytest.mark.parametrize(("cases", "shown"), [(2, []), (3, [0]), (6, [0, 1]), (20, [0, 1])])
def test_at_most_a_third_of_the_cases_and_two_are_shown_as_examples(
    tmp_path: Path, cases: int, shown: list[int]
) -> None:
    reading = read(tmp_path, exercise(*(case(100 + index) for index in range(cases))))
    prompt = reading.problems[0].prompt
    assert [index for index in range(cases) if f"== {100 + index}" in prompt] == shown


@pytest.mark.parametrize(
    ("name", "expected"),
    [("isArmstrongNumber", "is_armstrong_number"), ("sum", "sum_"), ("from", "from_"),
     ("z1", "z1"), ("two words", "two_words")],
)  # fmt: skip
def test_names_are_written_as_python_writes_them(name: str, expected: str) -> None:
    assert python_name(name) == expected


def test_a_line_that_is_no_exercise_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, exercise(case(3)), {"slug": "x"})
    assert caught.value.line == 2


def test_the_published_specifications_give_187_problems(shared_data: Path) -> None:
    path = shared_data / "seeds" / "exercism_problem_specifications.jsonl.gz"
    seeds = ExercismSeeds(path=path, parts=3, heldout_share=0.2)
    assert len(seeds.read().problems) == 187
    shards = [seeds.load_shard(shard) for shard in seeds.shards()]
    kept = [{seeds.unit(each.problem_id) for each in shard.problems} for shard in shards]
    kept.append({seeds.unit(each.problem_id) for each in seeds.load_heldout()})
    assert sum(len(units) for units in kept) == len(set().union(*kept))
    assert sum(len(shard.problems) for shard in shards) + len(seeds.load_heldout()) == 187
