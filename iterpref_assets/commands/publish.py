"""`iterpref publish`: a checkpoint or pairs for the Hugging Face hub, with their card."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iterpref_assets.core.errors import InputError

if TYPE_CHECKING:
    from iterpref_assets.core.publishing.scores import BenchmarkScore


def publish(
    repo: Annotated[str, typer.Option(help="The repository on the hub: OWNER/NAME.")],
    model: Annotated[
        Path | None, typer.Option(help="A trained model: the folder of `iterpref train --out`.")
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(help="A checkpoint of the settings' root, instead: BASE_MODEL/RECIPE."),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="A pair table, instead: pairs.parquet.")
    ] = None,
    scores: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of `iterpref evaluate --out` of --model, again for each."),
    ] = None,
    license_: Annotated[
        str | None, typer.Option("--license", help="An identifier of the hub, such as apache-2.0.")
    ] = None,
    private: Annotated[
        bool, typer.Option("--private/--public", help="What a repository that is new becomes.")
    ] = True,
    push: Annotated[
        bool, typer.Option("--push/--dry-run", help="Push it, or only show what would be pushed.")
    ] = False,
) -> None:
    """Show the card and the files of a model or of pairs; with --push, push them to the hub.

    One commit holds everything. The hub's address and token are those of its own tools
    (HF_ENDPOINT, HF_TOKEN, `hf auth login`).
    """
    from iterpref_assets.core.publishing.assembling import model_upload, pairs_upload
    from iterpref_assets.core.publishing.upload import require_repository

    if sum(each is not None for each in (model, checkpoint, pairs)) != 1:
        raise InputError("say what to publish", remedy="Give --model, --checkpoint or --pairs")
    if scores and model is None:
        raise InputError("--scores is for --model only", remedy="Leave it out")
    require_repository(repo)
    with tempfile.TemporaryDirectory() as scratch:
        if pairs is not None:
            upload = pairs_upload(repo, pairs, Path(scratch), license_, private=private)
        else:
            folder, found = _model(model, checkpoint, scores or [])
            upload = model_upload(repo, folder, found, license_, private=private)
        for line in upload.lines():
            typer.echo(line)
        if not push:
            typer.echo("nothing was pushed: --push does it")
            return
        from huggingface_hub import HfApi

        typer.echo(upload.push(HfApi()))


def _model(
    folder: Path | None, checkpoint: str | None, scores: list[Path]
) -> tuple[Path, list[BenchmarkScore]]:
    """The folder of what is published, and its scores."""
    if folder is not None:
        from iterpref_assets.core.publishing.scores import read_evaluation

        return folder, [score for each in scores for score in read_evaluation(each)]
    from iterpref_assets.core.artifacts import ArtifactStore
    from iterpref_assets.settings import load_settings
    from iterpref_assets.steps.published_models import checkpoint_folder, checkpoint_scores

    settings, partition = load_settings(), str(checkpoint)
    store = ArtifactStore(settings.root)
    return checkpoint_folder(store, partition), checkpoint_scores(settings, store, partition)
