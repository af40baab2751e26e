"""Where the code of an asset is read, for the link that the UI shows."""

from __future__ import annotations

import functools
from pathlib import Path

import dagster as dg

from iterpref_assets.settings import load_settings
from iterpref_assets.steps.step import Step

_ROOT = Path(__file__).parents[2]
_SOURCE = load_settings().operations.source_url


def code_links(step: Step) -> dg.CodeReferencesMetadataValue:
    """The function that publishes the asset, in the repository or in this checkout."""
    publish = step.publish
    while isinstance(publish, functools.partial):
        publish = publish.func
    file, line = Path(publish.__code__.co_filename), publish.__code__.co_firstlineno
    label = f"{file.parent.name}/{file.name}"
    if _SOURCE is None or not file.is_relative_to(_ROOT):
        reference = dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=label)
    else:
        place = f"{file.relative_to(_ROOT).as_posix()}#L{line}"
        reference = dg.UrlCodeReference(url=f"{_SOURCE.rstrip('/')}/{place}", label=label)
    return dg.CodeReferencesMetadataValue(code_references=[reference])
