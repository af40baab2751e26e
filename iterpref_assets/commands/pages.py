"""`iterpref pages`: trajectories, evaluations and pairs, each as one HTML file to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.sample_scoring import RESULTS
from iterpref_assets.core.pages.answers import REMEDY, read_answers
from iterpref_assets.core.pages.evaluations import (
    ShownModel,
    write_comparison_page,
    write_evaluation_page,
)
from iterpref_assets.core.pages.pairs import write_pairs_page
from iterpref_assets.core.pages.problems import read_prompts
from iterpref_assets.core.pages.trajectories import write_trajectories_page
from iterpref_assets.settings import load_settings

pages = typer.Typer(
    no_args_is_help=True,
    help="Write trajectories, evaluations or pairs as one HTML file that needs no server.",
)

Out = Annotated[Path, typer.Option(help="HTML file to write.")]
Problems = Annotated[
    list[Path] | None,
    typer.Option(help="Problem table (.parquet), again for each: prompts and sources."),
]


@pages.command()
def trajectories(
    out: Out,
    versions: Annotated[
        list[Path] | None,
        typer.Option(help="Version table (.parquet), again for each; every shard if not given."),
    ] = None,
    problems: Problems = None,
) -> None:
    """Show every version of every program: what changed, what it was told, its verdict."""
    if versions:
        title = _title("Debugging trajectories", versions)
        count = write_trajectories_page(versions, problems or [], out, title)
    else:
        from iterpref_assets.steps.pages import write_all_trajectories

        store = _store_with("debug_trajectories", "--versions")
        count = write_all_trajectories(store, out)
    _tell(count, "trajectories", out)


@pages.command()
def pairs(
    out: Out,
    pair_tables: Annotated[
        list[Path] | None,
        typer.Option("--pairs", help="Pair table (.parquet), again for each; every shard if none."),
    ] = None,
    problems: Problems = None,
) -> None:
    """Show every pair side by side, dropped ones too: D- marked in y-, D+ in y+."""
    if pair_tables:
        title = _title("Preference pairs", pair_tables)
        count = write_pairs_page(pair_tables, problems or [], out, title)
    else:
        from iterpref_assets.steps.pages import write_all_pairs

        count = write_all_pairs(_store_with("codeflow_pairs", "--pairs"), out)
    _tell(count, "pairs", out)


@pages.command()
def evaluations(
    first: Annotated[
        str,
        typer.Argument(
            help="Folder that `iterpref evaluate` wrote, its results.jsonl, a table of scores "
            "(.parquet), or an asset and partition, as heldout_scores/lab/reference."
        ),
    ],
    out: Out,
    second: Annotated[
        str | None, typer.Argument(help="Another: both side by side, won and lost tasks marked.")
    ] = None,
    tasks: Annotated[
        Path | None,
        typer.Option(
            help="Published benchmark file, or problem table (.parquet), for what tasks ask."
        ),
    ] = None,
) -> None:
    """Show every answer with its program and the call that failed, or what two models changed."""
    models = [_model(name) for name in (first, second) if name is not None]
    prompts = read_prompts(tasks) if tasks else _prompts(first)
    if len(models) == 1:
        count = write_evaluation_page(models[0], prompts, out, f"Evaluation: {models[0].name}")
    else:
        left, right = models
        title = f"Evaluation: {left.name} and {right.name}"
        count = write_comparison_page(left, right, prompts, out, title)
    _tell(count, "answers", out)


def _model(name: str) -> ShownModel:
    """The answers of a folder, file or artifact, by a name that tells it from others."""
    path = Path(name)
    if path.is_dir():
        return ShownModel(path.resolve().name, read_answers(path / RESULTS))
    if path.is_file():
        shown = path.resolve().parent.name if path.name == RESULTS else path.stem
        return ShownModel(shown, read_answers(path))
    if key := _score_key(name):
        from iterpref_assets.steps.pages import shown_model

        return shown_model(ArtifactStore(load_settings().root), key)
    raise InputError("no such file", file=path, remedy=REMEDY)


def _prompts(name: str) -> dict[str, str]:
    """What tasks ask, where an artifact is shown."""
    if Path(name).exists() or not (key := _score_key(name)):
        return {}
    from iterpref_assets.steps.pages import prompts_of

    return dict(prompts_of(ArtifactStore(load_settings().root), key.asset))


def _score_key(name: str) -> ArtifactKey | None:
    """The artifact of scores that is named ASSET/BASE_MODEL/VARIANT; None where none can be."""
    from iterpref_assets.steps.pages import scores_key

    return scores_key(name)


def _store_with(asset: str, option: str) -> ArtifactStore:
    """The settings' store, where it has any of an asset."""
    store = ArtifactStore(load_settings().root)
    if not store.partitions(asset):
        raise InputError(
            f"{asset} has not been materialized",
            file=store.root,
            remedy=f"Give tables ({option}), or materialize it first",
        )
    return store


def _title(what: str, files: list[Path]) -> str:
    return f"{what}: {', '.join(file.name for file in files)}"


def _tell(count: int, what: str, out: Path) -> None:
    typer.echo(f"{what}: {count:,} in {out}")
