"""`iterpref generate`: a model's samples for a benchmark or one's own problems, without Dagster."""

from __future__ import annotations

import logging
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from iterpref_assets.commands.benchmark_options import Data, Release, Since, Split, Subset, Until
from iterpref_assets.core.conversations import PromptConfig
from iterpref_assets.core.engines.config import EngineConfig, EngineKind, OpenAIConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, BigCodeBenchSubset
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.livecodebench.data import LATEST_RELEASE
from iterpref_assets.core.evaluation.selection import select_tasks
from iterpref_assets.core.evaluation.suite_options import OwnProblems, SuiteOptions
from iterpref_assets.core.evaluation.tasks import PromptStyle, style_of
from iterpref_assets.core.files import cache_folder
from iterpref_assets.settings import GeneratorSource, LabModel, RemoteModel, Settings, load_settings

if TYPE_CHECKING:
    from iterpref_assets.core.evaluation.suite import Suite

_ENGINE = TypeAdapter[EngineConfig](EngineConfig)
_OF_ONE_SERVER = ("api_key_env", "extra_body")


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
    split: Split = BigCodeBenchSplit.COMPLETE,
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
    backend = _engine(settings, engine, url)
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
    source, weights = _model(model, backend)
    style = _style(weights, base=base)
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
        _identity(suite, source, prompts if own else style),
        max_failed_share,
    )
    typer.echo(
        f"{done.samples} samples of {len(questions)} tasks in {out}: {done.empty} hold no program, "
        f"{sum(done.failures.values())} calls gave no answer"
    )
    typer.echo(_next_command(options, tasks, out))


def _config(known: EvaluationConfig, **options: Any) -> EvaluationConfig:
    """The settings' evaluation with what options tell."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return EvaluationConfig.model_validate({**known.model_dump(), **given})
    except ValidationError as error:
        raise InputError.of_record(error, remedy="Give --samples with --temperature 0.8") from None


def _engine(settings: Settings, kind: EngineKind | None, url: str | None) -> EngineConfig:
    """The engine of this kind as the settings have it; its defaults where they have none."""
    known = {each.kind: each for each in (settings.engine, settings.evaluation_engine)}
    wanted = kind or (EngineKind.OPENAI if url is not None else settings.evaluation_engine.kind)
    if url is not None and wanted is not EngineKind.OPENAI:
        raise InputError(f"--url is for a server, not for {wanted}", remedy="Leave out --engine")
    values = known[wanted].model_dump() if wanted in known else {"kind": wanted}
    if wanted is EngineKind.OPENAI:
        values = _asked_by_name(values, url)
    try:
        return _ENGINE.validate_python(values)
    except ValidationError as error:
        raise InputError.of_record(
            error, remedy=f"Set it in the section engine of the settings, with kind {wanted}"
        ) from None


def _asked_by_name(values: dict[str, Any], url: str | None) -> dict[str, Any]:
    """A server's settings for the model that --model names, at --url where that is given.

    The key and the body's fields are for the server of the settings: no other one is sent them.
    """
    moved = url is not None and values.get("base_url") != url
    kept = {name: each for name, each in values.items() if not (moved and name in _OF_ONE_SERVER)}
    return kept | {"served_model": None} | ({} if url is None else {"base_url": url})


def _model(name: str, engine: EngineConfig) -> tuple[GeneratorSource, Path | str]:
    """Where a model comes from, and what the engine opens: its folder, or its name on a server."""
    if isinstance(engine, OpenAIConfig):
        return RemoteModel(model=name, server=engine.base_url), name
    from iterpref_assets.steps.named_model import named_model

    return named_model(name)


def _style(weights: Path | str, *, base: bool) -> PromptStyle:
    if isinstance(weights, Path):
        return style_of(weights, as_base=base)
    if base:
        raise InputError("a server answers chats alone", field="--base", remedy="Leave it out")
    return PromptStyle.CHAT


def _identity(
    suite: Suite, source: GeneratorSource, asked: PromptConfig | PromptStyle
) -> dict[str, Any]:
    """What answers depend on besides engine and sampling."""
    from iterpref_assets.core.conversations import Prompts
    from iterpref_assets.steps.models import model_identity

    return {
        "model": model_identity(source),
        "data": suite.facts.source.model_dump(),
        "asked": asked.value if isinstance(asked, PromptStyle) else Prompts(asked).identity(),
    }


def _next_command(options: SuiteOptions, tasks: str, out: Path) -> str:
    """The command that scores the samples."""
    own, folder = options.problems, out.with_suffix("")
    what = ["--problems", str(own.file)] if own else ["--benchmark", str(options.benchmark)]
    what += ["--data", str(options.data)] if options.data else []
    if options.benchmark is BenchmarkName.BIGCODEBENCH:
        what += ["--split", options.split.value, "--subset", options.subset.value]
    what += ["--from", options.since.isoformat()] if options.since else []
    what += ["--to", options.until.isoformat()] if options.until else []
    what += ["--release", str(options.release)] if options.release != LATEST_RELEASE else []
    what += ["--tasks", tasks] if tasks else []
    return shlex.join(["iterpref", "evaluate", *what, "--samples", str(out), "--out", str(folder)])
