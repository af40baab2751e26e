"""exercism's problem-specifications as a seed source: each property of an exercise is a problem.

The canonical data are neutral of any language; see docs/SEEDS.md for how they become Python.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import read_bytes
from iterpref_assets.core.prompts import codeflow_prompt
from iterpref_assets.core.records import Case, FunctionTests, Problem, RaisingCase
from iterpref_assets.core.seeds.exercism_cases import (
    Canonical,
    Signature,
    canonical_cases,
    shown_case,
    signature_for,
    statement_of,
)
from iterpref_assets.core.seeds.pooled import PooledSeeds
from iterpref_assets.core.seeds.reading import SeedReading, Unusable, UnusableRecord, file_digest

SOURCE = "exercism"
ERROR = "ValueError"
_SHOWN = 2
_SHOWN_SHARE = 3
_ERROR_NOTE = "Where the description asks for an error, raise `ValueError`."


class Exercise(BaseModel):
    """One exercise; what is not needed is not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    slug: str
    deprecated: bool
    introduction: str | None
    instructions: str | None
    description: str | None
    canonical_data: dict[str, Any] | None


class ExercismSeeds(PooledSeeds):
    """Exercises with canonical cases; the properties of one exercise stay together."""

    kind: Literal["exercism"] = Field("exercism", description="Which kind of seeds")
    path: Path = Field(
        description="The problem specifications: one exercise a line, as JSON, gzipped or not"
    )

    @property
    def name(self) -> str:
        """What its shards and problems are named after."""
        return SOURCE

    def source_identity(self) -> dict[str, JsonValue]:
        """The file's content."""
        return {"sha256": file_digest(self.path)}

    def unit(self, name: str) -> str:
        """The exercise that a property belongs to."""
        return exercise_of(name)

    def read(self) -> SeedReading:
        """Each property of each exercise whose cases can be told as Python calls."""
        reading = SeedReading()
        for exercise in _exercises(self.path):
            _convert(exercise, reading)
        return reading


def exercise_of(name: str) -> str:
    """The exercise that a problem or a case of it belongs to, `exercism/<slug>`."""
    return "/".join(name.split("/")[:2]).partition("#")[0]


def _exercises(path: Path) -> list[Exercise]:
    exercises: list[Exercise] = []
    content = read_bytes(path, "Give exercism's problem specifications")
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            exercises.append(Exercise.model_validate_json(line))
        except ValidationError as error:
            raise InputError.of_record(
                error,
                file=path,
                line=number,
                remedy="Give one exercise of exercism/problem-specifications a line",
            ) from None
    return exercises


def _convert(exercise: Exercise, reading: SeedReading) -> None:
    name = f"{SOURCE}/{exercise.slug}"
    if exercise.deprecated:
        reading.unusable.append(UnusableRecord(name, Unusable.DEPRECATED))
    elif exercise.canonical_data is None:
        reading.unusable.append(UnusableRecord(name, Unusable.NO_TESTS, "no canonical data"))
    else:
        by_property: dict[str, list[Canonical]] = {}
        for case in canonical_cases(exercise.canonical_data):
            by_property.setdefault(case.prop, []).append(case)
        for prop, cases in by_property.items():
            _convert_property(exercise, f"{name}/{prop}", cases, reading)


def _convert_property(
    exercise: Exercise, name: str, cases: Sequence[Canonical], reading: SeedReading
) -> None:
    if any(case.has_formula for case in cases):  # the others may mean numbers by names too
        reading.unusable.append(UnusableRecord(name, Unusable.EXPRESSION))
        return
    parameters = _common_parameters(cases)
    usable: list[Canonical] = []
    for index, case in enumerate(cases):
        reason = case.fault() or (Unusable.OTHER_INPUTS if case.names != parameters else None)
        if reason is None:
            usable.append(case)
        else:
            record = UnusableRecord(f"{name}#{index}", reason, case.description)
            reading.unusable.append(record)
    if not usable:
        reading.unusable.append(UnusableRecord(name, Unusable.NO_TESTS, "no usable case"))
    elif all(case.is_error for case in usable):
        reading.unusable.append(UnusableRecord(name, Unusable.ERRORS_ONLY))
    elif all(case.is_error or case.expected == {} for case in usable):
        reading.unusable.append(UnusableRecord(name, Unusable.NO_RESULT))
    else:
        signature = signature_for(usable)
        reading.problems.append(_problem(exercise, name, signature, usable))


def _common_parameters(cases: Sequence[Canonical]) -> tuple[str, ...]:
    """The inputs that most cases have; of several as common, those of the earliest case."""
    return Counter(case.names for case in cases).most_common(1)[0][0]


def _problem(
    exercise: Exercise, name: str, signature: Signature, cases: Sequence[Canonical]
) -> Problem:
    parts = [exercise.introduction, exercise.instructions or exercise.description]
    statement = statement_of([part for part in parts if part])
    if any(case.is_error for case in cases):
        statement = f"{statement}\n\n{_ERROR_NOTE}"
    shown = [case for case in cases if not case.is_error]
    count = min(_SHOWN, len(cases) // _SHOWN_SHARE)
    examples = [shown_case(signature, case) for case in shown[:count]]
    return Problem(
        problem_id=name,
        source=SOURCE,
        prompt=codeflow_prompt(statement, signature.text, "\n".join(examples)),
        entry_point=signature.name,
        signature=signature.text,
        tests=FunctionTests(
            entry_point=signature.name,
            cases=tuple(_test(signature, case) for case in cases),
        ),
        features=(SOURCE, exercise.slug),
    )


def _test(signature: Signature, case: Canonical) -> Case | RaisingCase:
    arguments = repr(case.arguments(signature.inputs))
    if case.is_error:
        return RaisingCase(arguments=arguments, raises=ERROR)
    return Case(arguments=arguments, expected=repr(case.expected))
