"""An LLM's word on pairs that the other filters kept: do the programs differ in form alone?

The paper's last filter (METHOD.md, 1.6). The deterministic filters come first, so the judge sees
little. Every answer is logged before it counts, and no question is asked again once it is answered.
An answer without a clear verdict drops nothing and is counted.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core import tables
from iterpref_assets.core.answer_log import AnswerLog
from iterpref_assets.core.concurrency import for_each
from iterpref_assets.core.engines.protocol import (
    Completion,
    Engine,
    FinishReason,
    Request,
    Sampling,
    told_engine,
)
from iterpref_assets.core.journal import Journal, storable
from iterpref_assets.core.pairs.config import Filter, JudgeConfig
from iterpref_assets.core.pairs.streaming import TableWriter, table_batches
from iterpref_assets.core.prompts import Message, Role
from iterpref_assets.core.randomness import derive_seed
from iterpref_assets.core.reasoning import without_reasoning
from iterpref_assets.core.templates import PromptTemplate, load_template

_TEMPLATE = load_template("judge_pairs")
_KIND = "answer"
_MARKUP = "*_`#>-\"' \t\r"
_VERDICT = re.compile(
    r"(?:final )?verdict\s*:[\s*_`\"']*(form|substance)[\s*_`\"']*\.?(?:<\|\w+\||</s)?",
    re.IGNORECASE,
)


class JudgeAnswer(StrEnum):
    """What an answer says; all but the first two are malformed.

    NO_VERDICT: its last line is no verdict, or an earlier line is another one. CUT_OFF: it reached
    the longest answer allowed. UNANSWERED: no answer came (the finish reason says why).
    """

    FORM = "form"
    SUBSTANCE = "substance"
    NO_VERDICT = "no_verdict"
    CUT_OFF = "cut_off"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class JudgeOutcome:
    """What judging came to.

    Attributes:
        answers: pairs by what was answered about them, every JudgeAnswer with its zero.
        asked: questions put to the engine this time; the others were answered before.
        failures: questions that the engine gave no answer to, by kind (FinishReason).
    """

    answers: dict[str, int]
    asked: int
    failures: dict[str, int]


def judge_identity(config: JudgeConfig) -> dict[str, JsonValue]:
    """What an answer about a pair depends on."""
    return answer_identity(config, _TEMPLATE)


def answer_identity(config: JudgeConfig, template: PromptTemplate) -> dict[str, JsonValue]:
    """What an answer depends on: the engine, the model and the template of the question.

    Of a model in a folder it names the files with their sizes and times of change.
    """
    identity: dict[str, JsonValue] = {
        **config.for_result(),
        "template": template.version,
    }
    folder = Path(config.model)
    if folder.is_dir():
        identity["files"] = [
            [path.name, path.stat().st_size, path.stat().st_mtime_ns]
            for path in sorted(folder.iterdir())
        ]
    return identity


def judge_conversation(chosen: str, rejected: str) -> tuple[Message, ...]:
    """The question about one pair; it does not say which program passed."""
    return (Message(Role.USER, _TEMPLATE.fill(first=rejected, second=chosen)),)


def parse_answer(text: str, reason: FinishReason) -> JudgeAnswer:
    """What an answer says: the verdict on its last line, in any case, bold or quoted.

    Reasoning (`<think>`) does not count.
    """
    if reason is FinishReason.LENGTH:
        return JudgeAnswer.CUT_OFF
    if reason is not FinishReason.STOP:
        return JudgeAnswer.UNANSWERED
    lines = (without_reasoning(text) or "").split("\n")
    while len(lines) > 1 and not lines[-1].strip(_MARKUP):
        lines.pop()  # such as a fence
    said = {verdict for line in lines if (verdict := _verdict(line))}
    last = _verdict(lines[-1])
    return last if last and said == {last} else JudgeAnswer.NO_VERDICT


def _verdict(line: str) -> JudgeAnswer | None:
    """The verdict that a line is, and nothing else besides."""
    found = _VERDICT.fullmatch(line.strip(_MARKUP))
    return JudgeAnswer(found[1].lower()) if found else None


async def judge_pair_file(
    pairs: Path,
    engine: Engine,
    config: JudgeConfig,
    log: Path,
    *,
    pairs_out: Path,
    judgements_out: Path,
    on_rows: Callable[[int], None] | None = None,
) -> JudgeOutcome:
    """Ask about every kept pair of a table, and drop those that differ in form alone.

    Args:
        pairs: Parquet with the columns of tables.PAIRS.
        engine: an engine that is entered.
        config: the longest answer, and how many questions are held at once.
        log: where answers are kept from one run to the next, one judge to a file; those in it are
            held in memory.
        pairs_out: where every pair goes (tables.PAIRS).
        judgements_out: where each judged pair's answer goes (tables.JUDGEMENTS).
        on_rows: told of finished pair rows.

    Raises:
        InputError: where `pairs` is missing or has other columns, `log` is another judge's, or
            more questions got no answer than `config.max_failed_share` allows.
    """
    counts: Counter[str] = Counter()
    with (
        Journal(log, judge_identity(config)) as journal,
        TableWriter(pairs_out, tables.PAIRS) as all_pairs,
        TableWriter(judgements_out, tables.JUDGEMENTS) as judgements,
    ):
        judge = _Judge(engine, config, journal, _kept(pairs))
        for batch in table_batches(pairs, tables.PAIRS):
            rows = await judge.judge(batch)
            judgements.write(rows)
            counts.update(rows["answer"])
            all_pairs.write(_drop(batch, rows))
            if on_rows:
                on_rows(batch.height)
    answers = {answer.value: counts[answer] for answer in JudgeAnswer}
    return JudgeOutcome(answers, judge.asked, judge.failures)


class _Judge:
    def __init__(self, engine: Engine, config: JudgeConfig, journal: Journal, pairs: int) -> None:
        self._engine, self._config = engine, config
        self._log = AnswerLog(
            journal, _KIND, share=config.max_failed_share, total=pairs, key="question"
        )
        self._answers: dict[str, dict[str, Any]] = {
            row["question"]: row for _, row in journal.records()
        }
        self.asked = 0

    @property
    def failures(self) -> dict[str, int]:
        """Questions without an answer by kind."""
        return self._log.failures

    async def judge(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """tables.JUDGEMENTS of the pairs that are kept."""
        kept = pairs.filter(pl.col("dropped_by").is_null())
        programs = list(kept.select("chosen", "rejected").iter_rows())
        questions = [question(*each) for each in programs]
        missing = {
            name: each
            for name, each in zip(questions, programs, strict=True)
            if name not in self._answers
        }
        await for_each(missing.items(), self._config.max_in_flight, self._ask)
        rows = [
            {"pair_id": pair_id, **self._answers[name]}
            for pair_id, name in zip(kept["pair_id"], questions, strict=True)
        ]
        return pl.DataFrame(rows, schema=tables.JUDGEMENTS)

    async def _ask(self, item: tuple[str, tuple[str, str]]) -> None:
        name, programs = item
        request = Request(
            key=f"judge#{name}",
            messages=judge_conversation(*programs),
            sampling=Sampling(temperature=0.0, max_tokens=self._config.max_tokens),
            seed=derive_seed("judge", name),
        )
        completion = await self._engine.generate(request)
        row = _answer_row(name, completion, self._engine.description)
        self._log.keep(row, completion)
        self._answers[name] = dict(row)
        self.asked += 1


def _kept(pairs: Path) -> int:
    kept = pl.scan_parquet(pairs).filter(pl.col("dropped_by").is_null())
    return int(kept.select(pl.len()).collect().item())


def question(chosen: str, rejected: str) -> str:
    """The name of the question about two programs, the same for the same programs."""
    text = f"{_TEMPLATE.version}\x1f{chosen}\x1f{rejected}"
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def _answer_row(name: str, completion: Completion, engine: str) -> Mapping[str, Any]:
    return {
        "question": name,
        "answer": parse_answer(completion.text, completion.finish_reason).value,
        "text": storable(completion.text),
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "finish_reason": completion.finish_reason.value,
        "engine": storable(told_engine(engine, completion)),
    }


def _drop(pairs: pl.DataFrame, judgements: pl.DataFrame) -> pl.DataFrame:
    same = judgements.filter(pl.col("answer") == JudgeAnswer.FORM)["pair_id"]
    return pairs.with_columns(
        dropped_by=pl.when(pl.col("pair_id").is_in(same.implode()))
        .then(pl.lit(Filter.JUDGED_FORMATTING.value))
        .otherwise(pl.col("dropped_by"))
    )
