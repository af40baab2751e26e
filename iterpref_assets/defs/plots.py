"""Figures in the UI: a thumbnail in the event, and the figure itself as a file.

An event is a row of Dagster's database that every look at an asset reads: it holds no figures.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from iterpref_assets.core.artifacts import Artifact
from iterpref_assets.core.files import replacing

BYTES_OF_ALL = 30_000
"""Of all thumbnails of one event; what is around them takes a third more."""
BYTES_OF_ONE = 12_000
_FIGURE = re.compile(r"!\[([^\]]*)\]\(([^)/:]+\.png)\)")


def plots(artifact: Artifact, figures: Mapping[str, bytes]) -> dg.MetadataValue:
    """Thumbnails of figures by name, whose files are written beside the artifact's version.

    They are no part of the artifact: what they show follows from it.
    """
    folder = artifact.folder.with_name(f"{artifact.folder.name}.plots")
    folder.mkdir(exist_ok=True)
    for name, png in figures.items():
        with replacing(folder / f"{name}.png") as path:
            path.write_bytes(png)
    shown = [f"![{name}]({uri})" for name, uri in _thumbnails(figures).items()]
    return dg.MetadataValue.md(f"{' '.join(shown)}\n\nIn full size: `{folder}`")


def with_plots(artifact: Artifact, file: str) -> dg.MetadataValue:
    """A page of the artifact in Markdown, with thumbnails of the figures that it shows."""
    text = artifact.path(file).read_text(encoding="utf-8")
    names = [match[2] for match in _FIGURE.finditer(text)]
    uris = _thumbnails({name: artifact.path(name).read_bytes() for name in names})
    page = _FIGURE.sub(lambda match: f"![{match[1]}]({uris[match[2]]})", text)
    return dg.MetadataValue.md(f"{page}\n\nIn full size: `{artifact.folder}`")


def shown_file(artifact: Artifact, file: str) -> dg.MetadataValue:
    """A thumbnail of one figure of the artifact."""
    (uri,) = _thumbnails({file: artifact.path(file).read_bytes()}).values()
    return dg.MetadataValue.md(f"![{Path(file).stem}]({uri})\n\nIn full size: `{artifact.folder}`")


def _thumbnails(figures: Mapping[str, bytes]) -> dict[str, str]:
    """A small version of each figure, as an address that holds it."""
    from iterpref_assets.core.reporting.thumbnails import thumbnail

    most = min(BYTES_OF_ONE, BYTES_OF_ALL // max(len(figures), 1))
    return {
        name: f"data:image/png;base64,{base64.b64encode(thumbnail(png, most)).decode()}"
        for name, png in figures.items()
    }
