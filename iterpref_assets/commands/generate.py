"""`iterpref generate`: a model's samples for a benchmark or one's own problems, without Dagster."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from iterpref_assets.commands.benchmark_options import (
    Data,
    Release,
    Since,
    SplitOption,
    Subset,
    Until,
    evaluate_command,
)
from iterpref_assets.core.engines.config import EngineKind
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, BigCodeBenchSubset
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE
from iterpref_assets.core.evaluation.selection import select_tasks
from iterpref_assets.core.evaluation.suite_options import OwnProblems, SuiteOptions
from iterpref_assets.core.files import cache_folder
from iterpref_assets.settings import LabModel, load_settings


def generate(
    model: Annotated[
        str,
        typer.Option(
            help="A folder, OWNER/NAME or OWNER/NAME@COMMIT of the hub, or `lab`; with --url the "
            "model's name on the server."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Samples file to write, a .jsonl file.")],
    benchmark: Annotated[BenchmarkName | None, typer.Option(help="What to solve.")] = None,
    problems: Annotated[
        Path | None, typer.Option(help="Your own problems, instead: docs/FORMATS.md.")
    ] = None,
    data: Data = None,
    url: Annotated[
        str | None, typer.Option(help="A server's address, up to and including /v1.")
    ] = None,
    engine: Annotated[
        EngineKind | None,
        typer.Option(help="What generates; the settings' evaluation_engine if not given."),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Completions per task; above 1 with a temperature.")
    ] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="0 is greedy.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Share that is drawn from.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens per completion at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="Parent of every sampling seed.")] = None,
    tasks: Annotated[
        str, typer.Option(help="Tasks to solve: ids, numbers, ranges, as in 3,10-19.")
    ] = "",
    base: Annotated[
        bool,
        typer.Option("--base", help="Ask a model that knows chats as a base model all the same."),
    ] = False,
    max_failed_share: Annotated[
        float, typer.Option(min=0, max=1, help="Calls that may give no answer, as a share of 1.")
    ] = 0.1,
    split: SplitOption = BigCodeBenchSplit.COMPLETE,
    subset: Subset = BigCodeBenchSubset.FULL,
    since: Since = None,
    until: Until = None,
    release: Release = LATEST_RELEASE,
    examples: Annotated[
        Path | None,
        typer.Option(help="Folder of LiveCodeBench's solved examples, for base models."),
    ] = None,
) -> None:
    """Write a model's samples to a file that `iterpref evaluate` and evalplus read.

    Finished completions are kept beside it (OUT.completions.jsonl): the same command goes on after
    an interruption, and draws the others where --samples has grown. What no option tells is as the
    settings have it (`evaluation`, `evaluation_engine`).
    """
    from iterpref_assets.core.evaluation.generating import generate_samples, log_beside
    from iterpref_assets.steps.asked_model import (
        answers_identity,
        asked_engine,
        asked_model,
        asked_style,
    )

    logging.basicConfig(stream=sys.stderr, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("iterpref").setLevel(logging.INFO)
    log_beside(out)
    settings = load_settings()
    config = _config(
        settings.evaluation,
        samples=samples,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
    )
    backend = asked_engine(settings, engine, url)
    prompts = settings.prompts_for(LabModel()) if model == "lab" else settings.prompts
    own = problems and OwnProblems(problems, prompts, settings.limits, settings.packages)
    options = SuiteOptions(
        benchmark,
        own,
        data,
        split=split,
        subset=subset,
        since=since.date() if since else None,
        until=until.date() if until else None,
        release=release,
        examples=examples,
    )
    source, weights = asked_model(model, backend)
    style = asked_style(weights, as_base=base)
    suite = options.open(cache_folder())
    questions = suite.questions(style)
    if tasks:
        chosen = select_tasks(tasks, list(questions))
        questions = {name: each for name, each in questions.items() if name in chosen}
    done = generate_samples(
        questions,
        open_engine(backend, weights),
        config,
        out,
        answers_identity(suite, source, prompts if own else style),
        max_failed_share,
    )
    typer.echo(
        f"{done.samples} samples of {len(questions)} tasks in {out}: {done.empty} hold no program, "
        f"{sum(done.failures.values())} calls gave no answer"
    )
    typer.echo(evaluate_command(options, tasks, out))


def _config(known: EvaluationConfig, **options: Any) -> EvaluationConfig:
    """The settings' evaluation with what options tell."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return EvaluationConfig.model_validate({**known.model_dump(), **given})
    except ValidationError as error:
        raise InputError.of_record(error, remedy="Give --samples with --temperature 0.8") from None
