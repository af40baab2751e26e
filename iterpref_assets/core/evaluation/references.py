"""Reference solutions first: what they come to here says which tasks can be run, and why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import JsonValue

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.suite import CHECK_DATA, Suite
from iterpref_assets.core.evaluation.tasks import EvaluationTask
from iterpref_assets.core.journal import Journal, storable
from iterpref_assets.core.progress import track
from iterpref_assets.core.records import Record
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict

JOURNAL = "references.jsonl"
RESULT = "reference"
NO_REFERENCE, NOT_TRIED = "no_reference", "not_tried"


class ReferenceResult(Record):
    """One task: whether it can be run, and what its reference solution came to.

    Attributes:
        task_id: the benchmark's task.
        group: such as a difficulty; "" where the benchmark has none.
        not_run: why no model is judged on it here; "" where models are.
        verdict: of the reference solution; "no_reference" where the data holds none, "not_tried"
            where it was known before that it could not run.
        error_type: the exception's class name where there was one.
        message: what the failing reference said; "" where `not_run` says it.
    """

    task_id: str
    group: str
    not_run: str
    verdict: str
    error_type: str = ""
    message: str = ""

    @property
    def fails(self) -> bool:
        """Whether the reference solution fails for no known reason."""
        passing = (Verdict.PASSED.value, NO_REFERENCE, NOT_TRIED)
        return not self.not_run and self.verdict not in passing


def run_references(
    suite: Suite,
    tasks: Mapping[str, EvaluationTask[Sandbox]],
    sandbox: Sandbox,
    work: Path,
    workers: int,
) -> list[ReferenceResult]:
    """One result per task, in the suite's order; finished ones are logged in `work`.

    One that failed for no known reason is run again by the next call: a busy machine may have been
    the reason.
    """
    facts = suite.facts
    settings: dict[str, JsonValue] = {
        "data": facts.source.sha256,
        "libraries": {**facts.libraries},
    }

    def run(task: EvaluationTask[Sandbox]) -> ReferenceResult:
        return _run(suite, task, sandbox)

    with (
        Journal(work / JOURNAL, settings) as journal,
        track("Reference solutions", len(tasks)) as tracker,
        ThreadPoolExecutor(workers) as pool,
    ):
        logged = (ReferenceResult.model_validate(row) for _, row in journal.records())
        known = {result.task_id: result for result in logged if not result.fails}
        tracker.resume(len(known))
        left = [task for task_id, task in tasks.items() if task_id not in known]
        for result in pool.map(run, left):
            journal.append(RESULT, result.model_dump())
            known[result.task_id] = result
            tracker.advance()
    return [known[task_id] for task_id in tasks]


def references_of(
    suite: Suite,
    tasks: Mapping[str, EvaluationTask[Sandbox]],
    sandbox: Sandbox,
    cache: Path,
    workers: int,
) -> list[ReferenceResult]:
    """What the references of these tasks come to, kept in `cache` for the same data and libraries.

    Raises:
        InputError: as require_passing.
    """
    facts = suite.facts
    key = json.dumps(
        [
            facts.source.sha256,
            list(facts.prompts),
            dict(facts.libraries),
            {**facts.limits.given, **facts.program_limits},
            facts.judging,
        ]
    )
    digest = hashlib.sha256(key.encode()).hexdigest()
    results = run_references(suite, tasks, sandbox, cache / f"references-{digest[:16]}", workers)
    require_passing(results, remedy_of(suite))
    return results


def remedy_of(suite: Suite) -> str:
    """What to do where a reference solution of the suite has just failed for no known reason."""
    return f"Run it again, since programs time out on a busy machine. {suite.facts.remedy}"


def require_passing(results: Sequence[ReferenceResult], remedy: str = CHECK_DATA) -> None:
    """Refuse to judge anything where a reference solution fails for no known reason.

    Args:
        results: what the references came to.
        remedy: what to do then.

    Raises:
        InputError: naming the first one.
    """
    failing = [result for result in results if result.fails]
    if failing:
        first = failing[0]
        said = first.message or first.error_type or first.verdict
        raise InputError(
            f"{len(failing)} reference solutions fail here, first {first.task_id}: {said}",
            remedy=remedy,
        )


def reasons_not_run(results: Sequence[ReferenceResult]) -> dict[str, str]:
    """Why tasks are not run, by task_id."""
    return {result.task_id: result.not_run for result in results if result.not_run}


def _run(suite: Suite, task: EvaluationTask[Sandbox], sandbox: Sandbox) -> ReferenceResult:
    name, group = task.task_id, suite.facts.groups.get(task.task_id, "")
    if name in suite.facts.missing:
        return ReferenceResult(
            task_id=name, group=group, not_run=suite.facts.missing[name], verdict=NOT_TRIED
        )
    if name not in suite.facts.references:
        return ReferenceResult(task_id=name, group=group, not_run="", verdict=NO_REFERENCE)
    return _result(suite, name, group, task.judge(suite.facts.references[name], sandbox).execution)


def _result(suite: Suite, name: str, group: str, execution: Execution) -> ReferenceResult:
    reason = "" if execution.passed else suite.why_not_run(name, execution)
    return ReferenceResult(
        task_id=name,
        group=group,
        not_run=reason,
        verdict=execution.verdict.value,
        error_type=execution.error_type,
        message="" if reason else storable(execution.message),
    )
