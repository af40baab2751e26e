"""The form of a recorded trajectory: one JSON object a line (docs/PAIRS.md shows one)."""

from __future__ import annotations

from pydantic import Field

from iterpref_assets.core.records import FunctionTests, Problem, Record, Tests


class TrajectoryLine(Record):
    """One trajectory with its problem, as a line of a file holds it."""

    problem_id: str = Field(description="The task's name: letters, digits and `_ . / -`.")
    source: str = Field(min_length=1, description="Where the tasks come from, in your words.")
    prompt: str = Field(min_length=1, description="The whole user turn that asks for a solution.")
    tests: Tests = Field(description="What decides: calls, inputs of a script, or a test file.")
    versions: tuple[str, ...] = Field(
        min_length=1, description="The programs, first to last, without fences."
    )
    entry_point: str = Field(
        default="", description="The function asked for; that of `tests` where they call one."
    )
    signature: str = Field(default="", description="The function's first line, where it has one.")
    solved: bool | None = Field(
        default=None, description="What was recorded of the last version; only compared."
    )

    def problem(self) -> Problem:
        """The task, as the other stages know one.

        Raises:
            pydantic.ValidationError: where its name will not do.
        """
        called = self.tests.entry_point if isinstance(self.tests, FunctionTests) else ""
        return Problem(
            problem_id=self.problem_id,
            source=self.source,
            prompt=self.prompt,
            entry_point=self.entry_point or called,
            signature=self.signature,
            tests=self.tests,
        )


def parse(line: bytes) -> TrajectoryLine:
    """The trajectory of a line.

    Raises:
        pydantic.ValidationError: where it is none.
    """
    return TrajectoryLine.model_validate_json(line)
