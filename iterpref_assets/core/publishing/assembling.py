"""What is pushed of a trained model, or of pairs: their files and their card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.formats import write_messages
from iterpref_assets.core.pairs.manifest import read_manifest
from iterpref_assets.core.publishing.cards import dataset_card, model_card
from iterpref_assets.core.publishing.facts import files_of, read_facts
from iterpref_assets.core.publishing.scores import BenchmarkScore
from iterpref_assets.core.publishing.upload import Upload
from iterpref_assets.core.seeds.reading import file_digest


def model_upload(
    repository: str,
    folder: Path,
    scores: Sequence[BenchmarkScore],
    license_: str | None,
    *,
    private: bool,
) -> Upload:
    """The upload of a trained model.

    Args:
        repository: OWNER/NAME.
        folder: the model, as `iterpref train` or an asset left it.
        scores: what its card tells of benchmarks.
        license_: an identifier of the hub.
        private: what a repository that is new becomes.
    """
    card = model_card(repository, read_facts(folder), scores, license_)
    files = {each.name: each for each in files_of(folder)}
    return Upload(repository, "model", card, files, private)


def pairs_upload(
    repository: str, table: Path, scratch: Path, license_: str | None, *, private: bool
) -> Upload:
    """The upload of kept pairs as chat messages.

    Args:
        repository: OWNER/NAME.
        table: tables.PAIRS; the card tells of its manifest where one lies beside it.
        scratch: a folder for the file, which must last until it is pushed.
        license_: an identifier of the hub.
        private: what a repository that is new becomes.
    """
    frame, manifest = tables.read_table(table, tables.PAIRS), read_manifest(table)
    made_of = {table.name: file_digest(table)} | (manifest.made_of if manifest else {})
    out = scratch / "train.parquet"
    write_messages(frame, out)
    card = dataset_card(repository, frame, manifest, made_of, license_)
    return Upload(repository, "dataset", card, {out.name: out}, private)
