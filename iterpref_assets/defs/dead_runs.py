"""Runs whose process is gone: nobody may be left to say so, so each says which process it is."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from iterpref_assets.defs.dagster_private import (
    ExecutionPlan,
    PlanOrchestrationContext,
    RetryMode,
    StepDependencyConfig,
)

PROCESS_TAG = ".dagster/iterpref_process"
"""With this prefix the UI leaves a tag out: no reader wants it."""
_START_FIELD = 22
"""Of /proc/PID/stat, counted from 1: when the process started, in ticks since the boot."""
_ENDED_STATES = {"Z", "X"}
"""Of the third field: what is left of a process until its parent has waited for it."""


def tag_with_process(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Record that this process executes a run, which may have the tag of the run it retries."""
    tag = process_tag(run.run_id, os.getpid())
    if run.tags.get(PROCESS_TAG) != tag:
        instance.add_run_tags(run.run_id, {PROCESS_TAG: tag})


def process_tag(run_id: str, pid: int | str) -> str:
    """The run, where it runs, its process `pid` and when that started, since ids are used again.

    Empty where there is no such process, or where it has ended and was not waited for.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The second field is the command in parentheses, and may hold blanks and parentheses itself.
    from_third = stat.rpartition(")")[2].split()
    if from_third[0] in _ENDED_STATES:
        return ""
    started = from_third[_START_FIELD - 3]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{run_id}:{_here()}:{pid}:{boot}:{started}"


def _here() -> str:
    """This host and its namespace of processes: containers may share a host's name, not its ids."""
    namespace = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    return f"{socket.gethostname()}:{namespace}"


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """End this host's runs whose process is gone; their ids.

    A process that was killed cannot say so. No daemon watches the runs of a shell, and none those
    of a code server that was killed with them: the backfill they are of would wait for ever.
    """
    ended: list[str] = []
    unfinished = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]
    for run in instance.get_runs(dg.RunsFilter(statuses=unfinished)):
        tag, here = run.tags.get(PROCESS_TAG, ""), f"{run.run_id}:{_here()}:"
        pid = tag.removeprefix(here).partition(":")[0]
        if not tag.startswith(here) or process_tag(run.run_id, pid) == tag:
            continue
        # It may have come to its end since it was read.
        now = instance.get_run_by_id(run.run_id)
        if now is not None and not now.is_finished:
            instance.report_run_failed(now, f"process {pid}, which ran it, is gone")
            ended.append(run.run_id)
    return ended


def release_dead_runs(instance: dg.DagsterInstance) -> None:
    """End this host's runs whose process is gone, and free the pool slots that ended runs hold.

    Else the next run would wait for them for ever. A run may hold a slot, or a place in the queue
    for one.
    """
    end_dead_runs(instance)
    storage = instance.event_log_storage
    for run_id in storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            storage.free_concurrency_slots_for_run(run_id)


class InProcess(dg.Executor):
    """Dagster's executor of that name, whose runs say which process they are, and wait for no dead.

    Dagster waits for a pool before it calls an asset, so an asset's own code comes too late.
    """

    def __init__(self, inner: dg.Executor) -> None:
        self._inner = inner

    @property
    def retries(self) -> RetryMode:
        """As Dagster's has it."""
        return self._inner.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        """As Dagster's has it."""
        return self._inner.step_dependency_config

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Execute every step in this process."""
        tag_with_process(plan_context.instance, plan_context.dagster_run)
        release_dead_runs(plan_context.instance)
        yield from self._inner.execute(plan_context, execution_plan)
