"""`iterpref provenance`: where one pair comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from iterpref_assets.core.pairs.provenance import PairProvenance, TracedTrajectory


def provenance(
    pair_id: Annotated[str, typer.Argument(help="The pair_id of a pair, kept or dropped.")],
    json: Annotated[bool, typer.Option("--json", help="Everything, as one JSON object.")] = False,
) -> None:
    """Show a pair's trajectory, prompts, completions, executions, problem and artifacts.

    Reads the artifacts under the settings' root, in the versions that the pair was made of.
    """
    from rich.console import Console

    from iterpref_assets.core.artifacts import ArtifactStore
    from iterpref_assets.settings import load_settings
    from iterpref_assets.steps.provenance import find_pair

    found = find_pair(ArtifactStore(load_settings().root), pair_id)
    if json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        # Programs and feedback are full of brackets, which must not be read as markup.
        _show(found, Console(markup=False))


def _show(found: PairProvenance, console: Console) -> None:
    from rich.markdown import Markdown
    from rich.panel import Panel

    from iterpref_assets.core.reporting.markdown import pair_difference

    console.print(Markdown(pair_difference(found.pair)))
    if found.judgement:
        said = f"{found.judgement['answer']}: {found.judgement['text']}"
        console.print(Panel(said, title=f"judge ({found.judgement['engine']})", title_align="left"))
    problem = found.problem
    console.print(
        Panel(
            problem.prompt.strip(),
            title=f"problem {problem.problem_id} ({problem.source})",
            subtitle=" > ".join(problem.features) or None,
            title_align="left",
        )
    )
    for trajectory in found.trajectories:
        console.print(_versions(trajectory))
        _show_last_prompt(trajectory, console)
    console.print(_artifacts(found))


def _versions(trajectory: TracedTrajectory) -> RenderableType:
    from rich.table import Table

    table = Table(
        "round", "verdict", "feedback", "tokens in", "tokens out", "ended by", "seed",
        title=f"trajectory {trajectory.trajectory_id}", title_justify="left",
    )  # fmt: skip
    for version in trajectory.versions:
        answer = version.completion
        told = (
            [answer.prompt_tokens, answer.completion_tokens, answer.finish_reason, answer.seed]
            if answer
            else ["-"] * 4
        )
        verdict = " ".join(part for part in (version.verdict, version.error_type) if part)
        shown = ("?" if each is None else str(each) for each in told)
        table.add_row(str(version.round), verdict, version.feedback or "", *shown)
    engines = {v.completion.engine for v in trajectory.versions if v.completion}
    table.caption = "; ".join(sorted(engines)) or "no completion on record"
    return table


def _show_last_prompt(trajectory: TracedTrajectory, console: Console) -> None:
    from rich.panel import Panel

    last = trajectory.versions[-1]
    if last.prompt is None:
        console.print("prompts: made by another version of the template")
        return
    text = "\n".join(f"[{role}] {content}" for role, content in last.prompt)
    title = f"prompt of round {last.round}"
    console.print(Panel(text, title=title, title_align="left"))


def _artifacts(found: PairProvenance) -> RenderableType:
    from rich.table import Table

    table = Table("made of", "content", "generator", title="artifacts", title_justify="left")
    for artifact in found.artifacts:
        generator = artifact.config.get("generator")
        named = generator if isinstance(generator, dict) else {}
        shown = " ".join(str(value) for key, value in named.items() if key != "files")
        table.add_row(artifact.name, artifact.content_hash[:16], shown)
    return table
