"""The records that pass between stages: problems with their tests, and the versions a model wrote.

Values inside tests are Python literals kept as text (`ast.literal_eval` reads them), because JSON
has no tuples, sets or integer keys and a pickle could carry behaviour.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LLMDEBUGGER = "llmdebugger"
"""The source of problems that are read from LLMDebugger's published trajectories."""


class Record(BaseModel):
    """An immutable record that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Split(StrEnum):
    """What a problem may be used for."""

    TRAIN = "train"
    HELDOUT = "heldout"


class Case(Record):
    """One call: `arguments` is the literal of a tuple, `expected` the literal of the result."""

    arguments: str
    expected: str


class RaisingCase(Record):
    """One call that must raise: `raises` names the exception's class or one that it derives from.

    A built-in class's name means that class, and not another of the same name.
    """

    arguments: str
    raises: str


class FunctionTests(Record):
    """Calls of one function, compared outside the process that runs the candidate."""

    kind: Literal["function"] = "function"
    entry_point: str
    cases: tuple[Case | RaisingCase, ...] = Field(min_length=1)


class StdioCase(Record):
    """One run of a whole program: what it reads and what it must print."""

    stdin: str
    stdout: str


class StdioTests(Record):
    """Whole programs fed on stdin, compared outside the process that runs the candidate."""

    kind: Literal["stdio"] = "stdio"
    cases: tuple[StdioCase, ...] = Field(min_length=1)


class CodeTests(Record):
    """A test file that runs beside the candidate, so that its verdict is `in_process`.

    It imports the candidate as `module`; with `shared_namespace` it continues the candidate's own
    module instead, as BigCodeBench's test classes do.
    """

    kind: Literal["code"] = "code"
    module: str = "solution"
    code: str
    shared_namespace: bool = False


Tests = Annotated[FunctionTests | StdioTests | CodeTests, Field(discriminator="kind")]


class Problem(Record):
    """A programming task with the tests that decide it.

    `prompt` is the whole user turn that asks for a solution; `reference` is a solution known to
    pass, or empty where the source has none; `features` are leaves of the feature tree it was
    composed from, most general first.
    """

    problem_id: str = Field(pattern=r"^[A-Za-z0-9_./-]+$")
    source: str
    split: Split = Split.TRAIN
    prompt: str = Field(min_length=1)
    entry_point: str = ""
    signature: str = ""
    tests: Tests
    reference: str = ""
    features: tuple[str, ...] = ()
