"""`iterpref pages`: trajectories, evaluations and pairs, each as one HTML file to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pages.evaluations import (
    write_comparison_page,
    write_evaluation_page,
)
from iterpref_assets.core.pages.pairs import write_pairs_page
from iterpref_assets.core.pages.problems import read_prompts
from iterpref_assets.core.pages.trajectories import write_trajectories_page
from iterpref_assets.core.pairs.by_problem import ProblemFiles, ProblemPairs, pairs_by_problem
from iterpref_assets.core.tables import VERSIONS, check_table
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

        count = write_all_trajectories(_store(), out)
    _tell(count, "trajectories", out)


@pages.command()
def pairs(
    out: Out,
    pair_tables: Annotated[
        list[Path] | None,
        typer.Option("--pairs", help="Pair table (.parquet), again for each; every shard if none."),
    ] = None,
    problems: Problems = None,
    versions: Annotated[
        list[Path] | None,
        typer.Option(
            help="Version table that the pairs were made of, again for each: problems without a "
            "pair are shown, with why."
        ),
    ] = None,
) -> None:
    """Show every pair side by side, dropped ones too: D- marked in y-, D+ in y+."""
    if versions and not (pair_tables and problems):
        raise InputError(
            "--versions is for files alone",
            remedy="Give --pairs and --problems as well, the tables that go with it",
        )
    if pair_tables:
        title = _title("Preference pairs", pair_tables)
        by_problem = _by_problem(problems, versions, pair_tables) if problems and versions else []
        count = write_pairs_page(pair_tables, problems or [], out, title, by_problem)
    else:
        from iterpref_assets.steps.pages import write_all_pairs

        count = write_all_pairs(_store(), out)
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
            help="Published benchmark file, your own problem file, or problem table (.parquet), "
            "for what tasks ask."
        ),
    ] = None,
) -> None:
    """Show every answer with its program and the call that failed, or what two models changed."""
    from iterpref_assets.steps.pages import named_answers, named_prompts

    models = [named_answers(name, _store) for name in (first, second) if name is not None]
    prompts = read_prompts(tasks) if tasks else named_prompts(first, _store)
    if len(models) == 1:
        count = write_evaluation_page(models[0], prompts, out, f"Evaluation: {models[0].name}")
    else:
        left, right = models
        title = f"Evaluation: {left.name} and {right.name}"
        count = write_comparison_page(left, right, prompts, out, title)
    _tell(count, "answers", out)


def _by_problem(
    problems: list[Path], versions: list[Path], pair_tables: list[Path]
) -> list[ProblemPairs]:
    for file in versions:
        check_table(file, VERSIONS)
    return pairs_by_problem(ProblemFiles(problems, versions, pair_tables))


def _store() -> ArtifactStore:
    """The settings' store."""
    return ArtifactStore(load_settings().root)


def _title(what: str, files: list[Path]) -> str:
    return f"{what}: {', '.join(file.name for file in files)}"


def _tell(count: int, what: str, out: Path) -> None:
    typer.echo(f"{what}: {count:,} in {out}")
