"""Imports flow one way, in no circle, and definitions load without heavy packages."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "iterpref_assets"
FILES = sorted(PACKAGE.rglob("*.py"))
PLAIN = ("core", "operations", "steps", "workers")


def imported_names(path: Path) -> Iterator[str]:
    """Every module or object that a file imports, in full."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            start = ".".join((*above, node.module) if node.module else above)
            yield from (f"{start}.{alias.name}" for alias in node.names)


def place_of(name: str) -> str | None:
    """The place that a name of the project lies in: a folder without folders, or else a file.

    A file that lies loose beside folders is a place of its own: what the folders share lies under
    them, what joins them above, and the two may not need each other.
    """
    parts = name.split(".")
    while parts and parts[0] == PACKAGE.name:
        if ROOT.joinpath(*parts, "__init__.py").is_file():
            parts.append("__init__")
        file = ROOT.joinpath(*parts).with_suffix(".py")
        if file.is_file():
            return ".".join(parts if has_folders(file.parent) else parts[:-1])
        parts.pop()
    return None


def has_folders(folder: Path) -> bool:
    """Whether folders of modules lie in it, not of data."""
    return any(folder.glob("*/**/*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def public_types(path: Path) -> Iterator[str]:
    """The classes of a file and its aliases of types, but for the variables of generic ones."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(value=ast.Call(func=ast.Name("TypeVar"))):
                names = []
            case ast.Assign(targets=targets):
                names = [each.id for each in targets if isinstance(each, ast.Name)]
            case ast.AnnAssign(target=ast.Name(name)):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if name[0].isupper() and not name.isupper())


def calls_of(path: Path) -> Iterator[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def moves_a_path(call: ast.Call) -> bool:
    """Whether it may be `os.replace`, `shutil.move`, `Path.rename` or `Path.replace`.

    A text's `replace` has two arguments, a record's has names for them.
    """
    match call.func:
        case ast.Attribute(value=ast.Name("os" | "shutil"), attr="replace" | "move" | "renames"):
            return True
        case ast.Attribute(attr="rename"):
            return True
        case ast.Attribute(attr="replace"):
            return len(call.args) == 1 and not call.keywords
    return False


def test_what_is_plain_never_imports_dagster_and_the_core_nothing_above_it() -> None:
    wrong = []
    for path in FILES:
        folder = path.relative_to(PACKAGE).parts[0]
        for name in imported_names(path):
            roots = name.split(".")
            dagster = folder in PLAIN and roots[0] == "dagster"
            above = folder == "core" and roots[0] == PACKAGE.name and roots[1] != "core"
            if dagster or above:
                wrong.append((name_of(path), name))
    assert wrong == []


def test_one_module_alone_and_one_of_the_tests_take_what_is_private_to_dagster() -> None:
    """Programs that a test writes for another process count: what they name is in its text."""
    private = re.compile(r"\bdagster\w*(\.| import )_")
    beside = [
        path for folder in ("tests", "measurements") for path in (ROOT / folder).rglob("*.py")
    ]
    taking = {
        name_of(path) for path in [*FILES, *beside] if private.search(path.read_text("utf-8"))
    }
    assert taking == {"iterpref_assets.defs.dagster_private", "tests.helpers.private_dagster"}


def test_no_places_import_in_a_circle() -> None:
    needs: dict[str, set[str]] = {}
    for path in FILES:
        here = place_of(name_of(path))
        assert here is not None
        found = {place_of(name) for name in imported_names(path)}
        needs.setdefault(here, set()).update(place for place in found if place not in (None, here))
    assert len(needs) > 40
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from error


def test_no_two_public_types_have_one_name() -> None:
    homes: dict[str, list[str]] = {}
    for path in FILES:
        for name in public_types(path):
            homes.setdefault(name, []).append(name_of(path))
    assert {"Plan", "Tests"} <= homes.keys()
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_every_file_can_be_read_in_one_sitting() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


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


def test_one_module_alone_puts_files_and_folders_in_their_place() -> None:
    """What another process reads appears by `core/files.py`.

    What runs inside a sandbox sees no module of the project, and moves nothing that outlives it.
    """
    moving = {
        name_of(path)
        for path in FILES
        if "inside" not in path.parts and any(map(moves_a_path, calls_of(path)))
    }
    assert moving == {"iterpref_assets.core.files"}
