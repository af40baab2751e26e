"""Samples of a model for a suite's tasks, as a samples file that this project and evalplus read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.answer_log import failures_in
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.tasks import Question
from iterpref_assets.core.files import replace_text
from iterpref_assets.core.prompts import Role
from iterpref_assets.core.sampling import SamplingConfig, draw_completions

NOT_LOGGED = {"samples_per_problem"}
"""More samples may be drawn later: those that are there stay."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What a run came to.

    Attributes:
        samples: lines of the file.
        empty: those of them without a program.
        failures: calls that gave no answer, by kind.
    """

    samples: int
    empty: int
    failures: Mapping[str, int]


def log_beside(out: Path) -> Path:
    """Where the finished completions of a samples file are kept.

    Raises:
        InputError: where `out` is no .jsonl file.
    """
    if out.suffix != ".jsonl":
        raise InputError("not a samples file", file=out, remedy="End --out in .jsonl")
    return out.with_suffix(".completions.jsonl")


def generate_samples(
    questions: Mapping[str, Question],
    engine: Engine,
    config: EvaluationConfig,
    out: Path,
    identity: Mapping[str, JsonValue],
    max_failed_share: float,
) -> Generated:
    """Draw `config.samples` completions of each question and write their programs to `out`.

    Requests and seeds are those of `model_scoring.score_tasks`. Each completion is logged beside
    `out` before it counts: the same call goes on after a kill, draws what a failed call left out,
    and adds samples where `config.samples` has grown.

    Args:
        questions: by task_id, in the order of the file.
        engine: not entered yet.
        config: how, and how many.
        out: lines of `task_id`, `solution` (the program) and, of a chat, `answer` (all of it).
        identity: what completions depend on besides engine and config: model, data, style.
        max_failed_share: of the calls that may give no answer.

    Raises:
        InputError: where the log is of other work, or too many calls gave no answer.
    """
    sampling = SamplingConfig(
        temperature=config.temperature,
        top_p=config.top_p,
        max_tokens=config.max_tokens,
        seed=config.seed,
        max_in_flight=config.in_flight,
        max_failed_share=max_failed_share,
        samples_per_problem=config.samples,
    )
    drawn = {name: value for name, value in sampling.for_result().items() if name not in NOT_LOGGED}
    settings = {**identity, "engine": engine.description, **drawn}

    async def draw() -> pl.DataFrame:
        async with engine:
            return await draw_completions(
                list(questions),
                lambda name: questions[name].messages,
                engine,
                sampling,
                log_beside(out),
                settings,
                stops=lambda name: questions[name].stops,
            )

    completions = asyncio.run(draw()).filter(
        pl.col("problem_id").is_in(list(questions)), pl.col("sample") < config.samples
    )
    lines = list(_lines(questions, completions))
    replace_text(out, "".join(json.dumps(line) + "\n" for line in lines))
    empty = sum(not line["solution"].strip() for line in lines)
    return Generated(len(lines), empty, failures_in(completions))


def _lines(
    questions: Mapping[str, Question], completions: pl.DataFrame
) -> Iterator[dict[str, str]]:
    """A samples file's lines, in the order of the questions, then of samples."""
    texts: dict[str, list[str]] = {name: [] for name in questions}
    for name, text in completions.select("problem_id", "completion").iter_rows():
        texts[name].append(text)
    for name, question in questions.items():
        for text in texts[name]:
            line = {"task_id": name, "solution": question.program(text)}
            yield line | _answer(question, text)


def _answer(question: Question, text: str) -> dict[str, str]:
    """The whole answer of a chat, with what was begun for the model; nothing of bare text."""
    last = question.messages[-1]
    if last.role is Role.TEXT:
        return {}
    return {"answer": (last.content if last.role is Role.ASSISTANT else "") + text}
