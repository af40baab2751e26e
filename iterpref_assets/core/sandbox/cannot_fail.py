"""Why a test file is no use, told by reading it: a test that nothing runs, or that cannot fail."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from iterpref_assets.core.sandbox.inside.checks import is_check
from iterpref_assets.core.sandbox.planning import ReadTests
from iterpref_assets.core.sandbox.reach import asserts, helpers_called
from iterpref_assets.core.sandbox.regions import Region
from iterpref_assets.core.sandbox.vacuous import always_holds, compares_with_itself


def problems(read: ReadTests) -> Iterator[str]:
    """What is wrong with a test file, each problem naming the test."""
    for name in read.idle():
        yield f"{name} is a coroutine or a generator: nothing runs what is in it"
    yield from _never_run(read)
    for name in read.tests:
        if problem := _cannot_fail(read.region(name), read.functions):
            yield f"{name} cannot fail: {problem}"
    told = [check for each in (read.module, *read.functions) for check in each.checks()]
    if all(always_holds(each) for each in told):
        yield "the test file cannot fail: its checks hold whatever the program does"
    elif all(always_holds(each) or compares_with_itself(each) for each in told):
        yield "the test file cannot fail: it compares what the program does with itself alone"


def _never_run(read: ReadTests) -> Iterator[str]:
    """The tests, and the functions that check something, which nothing that runs leads to."""
    planned = set(map(id, read.tests.values()))
    dynamic = any(each.looks_names_up() for each in (read.module, *read.reached))
    for each in read.functions:
        if id(each.node) in planned or each in read.reached:
            continue
        if not (asserts(each) or (each.is_test and (each.top or each.checks()))):
            continue
        if each.replaced:
            yield f"nothing runs {each.name}: a later definition takes its place"
        elif not dynamic:
            yield f"nothing runs {each.name}"


def _cannot_fail(test: Region, functions: list[Region]) -> str:
    own = [each for each in test.own() if isinstance(each, ast.stmt)]
    told = [each for each in own if is_check(each) or always_holds(each)]
    if any(asserts(each) for each in helpers_called(test, functions)):
        return ""
    if told:
        return "its checks hold whatever the program does" if all(map(always_holds, told)) else ""
    runs = any(isinstance(each, ast.Call | ast.Await | ast.Yield) for each in test.own())
    return "" if runs else "it checks nothing"
