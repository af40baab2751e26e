"""What reading a seed source comes to: problems, and the records that give none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.digests import file_sha256
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import Problem

CHECK_SETTINGS = "Check the seeds settings"
"""The remedy where a file that the settings name cannot be read."""


class Unusable(StrEnum):
    """Why a record of a source gives no problem.

    NO_TESTS: it comes without tests. DEPRECATED: its source has withdrawn it. NOT_A_LITERAL: a test
    holds something other than a call with plain values. FUNCTION_ARGUMENT: an argument is a
    function written as text. EXPRESSION: arguments or results are formulas written as text.
    RANDOM: the result is drawn at random. INEXACT: results are floats given to some digits.
    OTHER_INPUTS: a case has other inputs than most. ERRORS_ONLY: nothing but errors is expected.
    NO_RESULT: the steps among the inputs say what to expect, and the result is always empty.
    MALFORMED: it cannot be read. NOT_RUN: it needs a package outside the allow-list.
    """

    NO_TESTS = "no_tests"
    DEPRECATED = "deprecated"
    NOT_A_LITERAL = "not_a_literal"
    FUNCTION_ARGUMENT = "function_argument"
    EXPRESSION = "expression"
    RANDOM = "random"
    INEXACT = "inexact"
    OTHER_INPUTS = "other_inputs"
    ERRORS_ONLY = "errors_only"
    NO_RESULT = "no_result"
    MALFORMED = "malformed"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class UnusableRecord:
    """A record, or a part of one, that gives no problem; `detail` says what exactly is wrong."""

    record: str
    reason: Unusable
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SeedReading:
    """Problems read from a source, and its records that are none."""

    problems: list[Problem] = field(default_factory=list[Problem])
    unusable: list[UnusableRecord] = field(default_factory=list[UnusableRecord])


def unusable_frame(records: Sequence[UnusableRecord]) -> pl.DataFrame:
    """A tables.UNUSABLE_SEEDS table, ordered by record."""
    rows = [(each.record, each.reason.value, each.detail) for each in records]
    return pl.DataFrame(rows, schema=tables.UNUSABLE_SEEDS, orient="row").sort("record", "reason")


def file_digest(file: Path) -> str:
    """The SHA-256 of a file's bytes, in hex.

    Raises:
        InputError: where there is no such file.
    """
    if not file.is_file():
        raise InputError("no such file", file=file, remedy=CHECK_SETTINGS)
    return file_sha256(file)
