"""The model that a command line names: a folder, a model of the hub, or the lab's."""

from __future__ import annotations

import re
from pathlib import Path

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.lab.shipped import pretrained_dir
from iterpref_assets.settings import HubModel, LabModel, LocalModel, ModelSource
from iterpref_assets.steps.models import hub_description, hub_snapshot, weights_folder

LAB = "lab"
HELP = "A folder, OWNER/NAME or OWNER/NAME@COMMIT of the hub, or `lab`"

_ON_THE_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


def named_model(name: str) -> tuple[ModelSource, Path]:
    """Where the model comes from, and the folder of its weights; a hub model is fetched.

    A hub name without a commit, or with a branch, is that of its commit now.

    Raises:
        InputError: where there is no such model.
    """
    if Path(name).is_dir():
        source = LocalModel(path=Path(name).resolve())
        return source, weights_folder(source)
    if name == LAB:
        return LabModel(), pretrained_dir()
    repository, revision = _on_the_hub(name)
    folder = hub_snapshot(repository, revision)
    return HubModel(repository=repository, revision=folder.name), folder


def description_folder(name: str) -> Path:
    """The folder of the configuration and tokenizer of the model that is named so, no weights.

    A folder is taken as it is; of a hub model nothing else is fetched.

    Raises:
        InputError: where there is no such model.
    """
    if Path(name).is_dir():
        return Path(name)
    return pretrained_dir() if name == LAB else hub_description(*_on_the_hub(name))


def _on_the_hub(name: str) -> tuple[str, str]:
    """Repository and revision."""
    found = _ON_THE_HUB.fullmatch(name)
    if found is None or name.startswith("."):
        raise InputError(
            f"no model {name!r}: there is no such folder, and it is no name of the hub",
            remedy=f"Give {HELP[0].lower()}{HELP[1:]}",
        )
    return found["repository"], found["revision"] or "main"
