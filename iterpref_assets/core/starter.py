"""The project that `iterpref init` writes, from the files in the folder `starter`."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import publish_folder

SETTINGS = "settings.toml"
PROBLEMS = "problems"
HELDOUT = "heldout.jsonl"
_FILES = Path(__file__).parents[1] / "starter"
EXAMPLE = _FILES / "lab.jsonl"
"""Three problems, one of each kind of tests. One is worded as the lab's model knows problems."""
_FOR_CODE_MODELS = _FILES / "code_model.jsonl"
"""Three that a code model of half a billion parameters solves at times, alone or by debugging."""
_AT_ONCE = """\
# Requests that the server has at once. Of a server that answers many at once give more.
max_in_flight = 32
"""
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Model:
    """Who writes programs.

    Attributes:
        kind: lab, local, hub or server.
        name: local: the folder; hub: OWNER/NAME@COMMIT; server: the model's name there.
        url: server: its address, up to and including /v1.
    """

    kind: str
    name: str = ""
    url: str = ""


def write_project(folder: Path, model: Model) -> Path:
    """Write settings, problems and a held-out file into a new folder; the settings' path.

    Paths in the settings are absolute, so that commands work from anywhere.

    Raises:
        InputError: where the folder exists, or the kind of model needs another name.
    """
    if folder.exists():
        raise InputError("exists already", file=folder, remedy="Give a folder that does not exist")
    text = _settings(folder.resolve(), model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        project = Path(scratch) / "project"
        (project / PROBLEMS).mkdir(parents=True)
        problems = EXAMPLE if model.kind == "lab" else _FOR_CODE_MODELS
        shutil.copy(problems, project / PROBLEMS / "mine.jsonl")
        shutil.copy(_FILES / HELDOUT, project / HELDOUT)
        (project / SETTINGS).write_text(text, encoding="utf-8")
        publish_folder(project, folder)
    return folder / SETTINGS


def _settings(folder: Path, model: Model) -> str:
    template = "".join(
        (_FILES / name).read_text(encoding="utf-8") for name in (SETTINGS, f"{model.kind}.toml")
    )
    values = {
        "root": str(folder / "data"),
        "folder": str(folder / PROBLEMS),
        "heldout": str(folder / HELDOUT),
        **_names(model),
    }
    quoted = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    at_once = _AT_ONCE if model.kind == "server" else ""
    return Template(template).substitute(quoted, at_once=at_once)


def _names(model: Model) -> dict[str, str]:
    """What the templates call the model.

    Raises:
        InputError: where the name is not what the kind needs.
    """
    if model.kind == "lab":
        return {}
    if not model.name:
        what = {
            "local": "the model's folder",
            "hub": "OWNER/NAME@COMMIT",
            "server": f"the model's name there, as {model.url}/models lists it",
        }
        raise InputError("no name", field="--name", remedy=f"Give {what[model.kind]}")
    if model.kind == "server":
        return {"name": model.name, "url": model.url}
    if model.kind == "hub":
        repository, _, revision = model.name.partition("@")
        if not _COMMIT.fullmatch(revision):
            raise InputError(
                f"{model.name!r} names no commit",
                field="--name",
                remedy="Give OWNER/NAME@COMMIT, with all 40 digits of the commit",
            )
        return {"name": repository, "revision": revision, "key": _key(repository)}
    folder = Path(model.name).resolve()
    if not any(folder.glob("*.safetensors")):
        raise InputError("no safetensors weights", file=folder, remedy="Give the folder of a model")
    return {"name": str(folder), "key": _key(folder.name)}


def _key(name: str) -> str:
    """A name for the partition of a base model."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name.rpartition("/")[2]).strip("-").lower() or "mine"
