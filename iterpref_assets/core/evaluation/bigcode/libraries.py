"""Which libraries a task imports, and which of them programs may have here."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata

from packaging.requirements import Requirement

from iterpref_assets.core.evaluation.bigcode.data import BigCodeProblem

_SEPARATORS = re.compile(r"[-_.]+")


def imported_modules(problem: BigCodeProblem) -> set[str]:
    """Top-level modules outside the standard library that reference or tests import."""
    modules: set[str] = set()
    for source in (problem.reference, problem.test):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules.add(node.module.partition(".")[0])
    return modules - sys.stdlib_module_names


@cache
def installed_modules() -> Mapping[str, list[str]]:
    """The distributions that provide each top-level module of this environment."""
    return metadata.packages_distributions()


def missing_modules(modules: Iterable[str]) -> list[str]:
    """Those that no installed distribution provides, sorted."""
    return sorted(set(modules) - installed_modules().keys())


def distributions(modules: Iterable[str]) -> tuple[str, ...]:
    """The installed distributions that provide `modules`, with all that they require, sorted.

    Requirements that are not installed are left out: an extra, or one that goes unused.
    """
    wanted = [name for module in modules for name in installed_modules().get(module, [])]
    found: set[str] = set()
    while wanted:
        name = _SEPARATORS.sub("-", wanted.pop()).lower()
        if name in found:
            continue
        try:
            requirements = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        for text in requirements:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                wanted.append(requirement.name)
    return tuple(sorted(found))


def versions(names: Iterable[str]) -> dict[str, str]:
    """The installed version of each distribution."""
    return {name: metadata.version(name) for name in names}
