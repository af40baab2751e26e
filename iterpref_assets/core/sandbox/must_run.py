"""What of a test file must have run before a program passes it, told by reading it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from iterpref_assets.core.sandbox.inside import checks
from iterpref_assets.core.sandbox.planning import ReadTests
from iterpref_assets.core.sandbox.reach import asserts, helpers_called
from iterpref_assets.core.sandbox.regions import Region
from iterpref_assets.core.sandbox.vacuous import always_holds

_OUTSIDE = "the file outside its tests"


@dataclass(frozen=True, slots=True)
class MustRun:
    """A test, or a function with checks, of which one of `checks` at least must run.

    `test` is where it must: in the test of that name, outside the tests (""), or anywhere (None).
    """

    name: str
    checks: frozenset[int]
    test: str | None

    def ran(self, told: set[tuple[str, int]]) -> bool:
        """Whether it did, by the tests and numbers of the checks that ran."""
        return any(
            number in self.checks and (self.test is None or test == self.test)
            for test, number in told
        )


def must_run(read: ReadTests) -> list[MustRun]:
    """Each test with its own checks or those of the helpers that it calls, and what none leads to.

    A helper that only some tests call need not run for the others, nor where a branch that was not
    taken calls it; a test that says it must fail runs none of its checks to the end.
    """
    numbers = {id(check): number for number, check in enumerate(checks.numbered(read.tree))}

    def entry(region: Region, name: str, test: str | None) -> MustRun:
        needed = frozenset(numbers[id(check)] for check in _needed(region, read.functions))
        return MustRun(name, needed, test)

    entries = [
        entry(read.region(name), name, name)
        for name, function in read.tests.items()
        if not any(map(_expects_failure, function.decorator_list))
    ]
    planned = set(map(id, read.tests.values()))
    entries += [
        entry(each, each.name, None)
        for each in read.functions
        if id(each.node) not in planned
        and (each.is_test or (asserts(each) and each not in read.reached))
    ]
    entries.append(entry(read.module, _OUTSIDE, ""))
    return [each for each in entries if each.checks]


def _needed(region: Region, functions: list[Region]) -> list[ast.stmt]:
    """The checks one of which shows that `region` ran, where it has any."""
    own, helpers = _of_program(region), helpers_called(region, functions)
    if not own:
        helpers = [each for each in helpers if asserts(each)]
    return own + [check for each in helpers for check in _of_program(each)]


def _of_program(region: Region) -> list[ast.stmt]:
    return [each for each in region.checks() if not always_holds(each)]


def _expects_failure(decorator: ast.expr) -> bool:
    return checks.name_of(decorator) == "expectedFailure"
