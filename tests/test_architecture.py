"""Imports flow one way, and definitions load without the heavy packages."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "iterpref_assets"
PLAIN = sorted(
    path
    for folder in ("core", "operations", "steps", "workers")
    for path in (PACKAGE / folder).rglob("*.py")
)


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_what_is_plain_never_imports_dagster(path: Path) -> None:
    roots = {module.split(".")[0] for module in imported_modules(path)}
    assert "dagster" not in roots


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=name_of)
def test_the_core_imports_nothing_of_the_project_but_itself(path: Path) -> None:
    ours = {module for module in imported_modules(path) if module.startswith("iterpref_assets")}
    assert {module for module in ours if not module.startswith("iterpref_assets.core")} == set()


def test_loading_the_definitions_imports_no_heavy_package() -> None:
    script = (
        "import sys, definitions; definitions.defs();"
        "heavy = ('torch', 'vllm', 'transformers', 'matplotlib', 'ray', 'dagster_ray');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name_of)
def test_every_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
