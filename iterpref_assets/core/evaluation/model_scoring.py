"""Generate and judge at once: each completion is run while others are being generated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.answers import NoProgram, read_answer
from iterpref_assets.core.concurrency import for_each
from iterpref_assets.core.engines.protocol import (
    FAILED,
    Completion,
    Engine,
    FinishReason,
    Request,
)
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.scores import (
    SampleStatus,
    Score,
    score_of,
    score_without_run,
    scores_table,
)
from iterpref_assets.core.evaluation.tasks import EvaluationTask
from iterpref_assets.core.journal import Journal
from iterpref_assets.core.progress import track
from iterpref_assets.core.randomness import derive_seed

JOURNAL = "judged.jsonl"
SCORE = "score"
JUDGING_THREADS = 8
UNANSWERED = tuple(reason for reason in FinishReason if reason in FAILED)
"""How a completion ends that holds nothing; it counts as failed."""

JudgeT = TypeVar("JudgeT")


async def score_tasks(
    tasks: Sequence[EvaluationTask[JudgeT]],
    engine: Engine,
    judge: JudgeT,
    config: EvaluationConfig,
    work_dir: Path,
) -> pl.DataFrame:
    """Score `config.samples` completions of each task with an engine that is already entered.

    Every finished one is logged in `work_dir` before it counts, and a restart with the same folder
    repeats none of them. The folder must belong to this model and task set:
    `ArtifactStore.work_folder` names such a one.

    Returns:
        One row per completion in the order of `tasks`, then of samples: tables.SCORES.

    Raises:
        InputError: where there is no task, two share an id, or the log is damaged or of another
            engine or config.
    """
    _check(tasks)
    wanted = [(task, sample) for task in tasks for sample in range(config.samples)]
    with Journal(work_dir / JOURNAL, _settings(engine, config)) as journal:
        known = (Score.model_validate(row) for _, row in journal.records())
        scores = {(score.task_id, score.sample): score for score in known}
        missing = [item for item in wanted if (item[0].task_id, item[1]) not in scores]
        drawn = "sampled" if config.temperature else "greedy"
        with (
            ThreadPoolExecutor(JUDGING_THREADS) as pool,
            track(f"Scoring {drawn}", len(wanted)) as tracker,
        ):
            if len(missing) < len(wanted):
                tracker.resume(len(wanted) - len(missing))

            def keep(score: Score) -> None:
                journal.append(SCORE, score.model_dump(mode="json"))
                scores[score.task_id, score.sample] = score
                tracker.advance()

            scorer = _Scorer(engine, judge, config, pool)

            async def score(item: tuple[EvaluationTask[JudgeT], int]) -> None:
                keep(await scorer.score(*item))

            await for_each(missing, config.in_flight, score)
    return scores_table([scores[task.task_id, sample] for task, sample in wanted])


@dataclass(frozen=True)
class _Scorer(Generic[JudgeT]):
    """One completion's way from the engine through the sandbox."""

    engine: Engine
    sandbox: JudgeT
    config: EvaluationConfig
    pool: ThreadPoolExecutor

    async def score(self, task: EvaluationTask[JudgeT], sample: int) -> Score:
        completion = await self._generate(task, sample)
        if completion.finish_reason in UNANSWERED:
            return _without_program(task, sample, "", completion.finish_reason.value)
        return await asyncio.get_running_loop().run_in_executor(
            self.pool, self._judged, task, sample, completion
        )

    def _judged(self, task: EvaluationTask[JudgeT], sample: int, completion: Completion) -> Score:
        """An answer's score; apart from the loop, since finding and running programs take time."""
        text = completion.text
        program = task.program(text)
        if not program.strip():
            cut_off = completion.finish_reason is FinishReason.LENGTH
            lack = read_answer(text, cut_off=cut_off).lack or NoProgram.PROSE
            return _without_program(task, sample, text, lack.value)
        judgement = task.judge(program, self.sandbox)
        return score_of(task.task_id, sample, program, judgement, completion=text)

    async def _generate(self, task: EvaluationTask[JudgeT], sample: int) -> Completion:
        return await self.engine.generate(
            Request(
                key=f"{task.task_id}#0#{sample}",
                messages=task.messages,
                sampling=self.config.sampling,
                seed=derive_seed(self.config.seed, task.task_id, 0, sample),
                stops=task.stops,
            )
        )


def _without_program(
    task: EvaluationTask[JudgeT], sample: int, completion: str, verdict: str
) -> Score:
    """A failure whose reason is the verdict: there is no program to run."""
    return score_without_run(
        task.task_id,
        sample,
        "",
        SampleStatus.FAIL,
        verdict,
        has_plus=task.has_plus,
        completion=completion,
    )


def _settings(engine: Engine, config: EvaluationConfig) -> dict[str, JsonValue]:
    """What a logged score depends on, besides the tasks and the folder's model."""
    drawn = config.model_dump(mode="json", exclude={"ks", "bootstrap", "in_flight"})
    return {"engine": engine.description, **drawn}


def _check(tasks: Sequence[EvaluationTask[JudgeT]]) -> None:
    if not tasks:
        raise InputError("no tasks to score", remedy="Give at least one held-out problem")
    repeated = [
        name for name, count in Counter(task.task_id for task in tasks).items() if count > 1
    ]
    if repeated:
        raise InputError(f"task {repeated[0]} occurs twice", remedy="Give each task one row")
