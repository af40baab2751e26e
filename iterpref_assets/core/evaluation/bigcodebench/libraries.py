"""The libraries of BigCodeBench's programs: a folder beside the project, and what tasks need of it.

Nothing in the folder is imported here; only finders and package metadata look at it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchProblem


def imported_modules(problem: BigCodeBenchProblem) -> set[str]:
    """Top-level modules outside the standard library that reference or tests import."""
    modules: set[str] = set()
    for source in (problem.reference, problem.test):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules.add(node.module.partition(".")[0])
    return modules - sys.stdlib_module_names


def missing_modules(modules: Iterable[str], libraries: Path | None) -> list[str]:
    """Those that the folder does not hold, sorted; all of them where there is no folder."""
    places = [] if libraries is None else [str(libraries)]
    return sorted(name for name in modules if PathFinder.find_spec(name, places) is None)


def installed_versions(libraries: Path | None) -> dict[str, str]:
    """The version of each distribution in the folder, by name, sorted."""
    places = [] if libraries is None else [str(libraries)]
    found = {each.name: each.version for each in metadata.distributions(path=places)}
    return dict(sorted(found.items()))
