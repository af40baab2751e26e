"""pyproject.toml is the one list of packages: it names what is imported, and the locks hold it."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
NOT_ASKED_FOR = {
    "datasets": "seeds.kind hub alone; its absence is a message",
    "deepspeed": "sharding zero3 alone; its absence is a message",
    "docker": "dagster-docker's own client",
    "pydantic_core": "pydantic's own core, where the type of its errors is",
    "pytz": "of a benchmark's libraries, in the sandbox; without it its zones do not cross",
    "ray": "the extra's own",
    **dict.fromkeys(("tree_sitter", "tree_sitter_python"), "what evalplus cuts answers with"),
}
"""Modules that no list has to name, with the reason."""
BESIDE = {
    "dagster_shared": "dagster's own, at its version",
    "graphql": "dagster-graphql's own",
    "starlette": "dagster-webserver's own",
    "uvicorn": "dagster-webserver's own",
    **dict.fromkeys(
        ("alignment", "bigcodebench", "inspect_ai", "lcb_runner", "testing_util", "trl"),
        "a peer, which a measurement gets where it says",
    ),
}
"""The same of tests and measurements."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    """The distributions that requirements name, those of extras of this project included."""
    found: set[str] = set()
    for requirement in requirements:
        name, extras = re.match(r"([\w.-]+)(?:\[([^]]*)\])?", requirement).groups()
        if normal(name) == PROJECT["name"]:
            found |= {each for extra in extras.split(",") for each in names(EXTRAS[extra])}
        else:
            found.add(normal(name))
    return found


def asked(*extras: str) -> set[str]:
    return names(PROJECT["dependencies"]) | {n for extra in extras for n in names(EXTRAS[extra])}


@cache
def imported(*folders: str) -> dict[str, str]:
    """Each top-level module that files of these folders import, with a file that does."""
    found: dict[str, str] = {}
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            for module in modules:
                found.setdefault(module.split(".")[0], str(path.relative_to(ROOT)))
    return found


def not_asked_for(modules: dict[str, str], known: set[str]) -> dict[str, str]:
    """Those of the modules that are in no known distribution."""
    distributions = packages_distributions()
    return {
        module: file
        for module, file in modules.items()
        if module not in sys.stdlib_module_names
        and module not in {"iterpref_assets", *NOT_ASKED_FOR}
        and not {normal(name) for name in distributions.get(module, [module])} & known
    }


def test_every_import_is_asked_for_by_name() -> None:
    users = asked(*(extra for extra in EXTRAS if extra != "dev"))
    assert not_asked_for(imported("iterpref_assets"), users) == {}


def test_so_is_every_import_of_tests_and_measurements() -> None:
    searched = [ROOT / "definitions.py", *(ROOT / "measurements").iterdir()]
    own = {path.stem for path in [*searched, *(ROOT / "tests" / "helpers").iterdir()]}
    missing = not_asked_for(imported("tests", "measurements"), asked(*EXTRAS))
    assert missing.keys() - own - BESIDE.keys() == set()


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("cpu", asked("lab", "docker", "postgres", "cpu", "dev")),
        ("gpu", asked("lab", "docker", "postgres", "gpu")),
        ("code", asked("dagster", "docker", "postgres")),
        ("worker-cpu", asked("worker", "tensorboard", "cpu")),
        ("worker-gpu", asked("worker", "tensorboard", "gpu")),
        (
            "services",
            {n for e in ("dagster", "webserver", "docker", "postgres") for n in EXTRAS[e]},
        ),
    ],
)
def test_a_lock_holds_what_its_extras_ask_for(lock: str, wanted: set[str]) -> None:
    text = (ROOT / "requirements" / f"{lock}.lock").read_text()
    locked = {normal(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    assert names(sorted(wanted)) - locked == set()
