"""Runs that a shell started: no daemon watches them, so each says which process it is."""

import multiprocessing
import os
import socket
from pathlib import Path

import dagster as dg

PROCESS_TAG = ".dagster/iterpref_process"
"""With this prefix the UI leaves a tag out: no reader wants it."""
_START_FIELD = 22
"""Of /proc/PID/stat, counted from 1: when the process started, in ticks since the boot."""


def tag_with_process(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Record which process executes a run, where a shell launched it.

    What a daemon launched is watched by it, and may execute each step in another process.
    """
    if multiprocessing.parent_process() is None and PROCESS_TAG not in run.tags:
        instance.add_run_tags(run.run_id, {PROCESS_TAG: process_tag(os.getpid())})


def process_tag(pid: int | str) -> str:
    """This host, its process `pid` and when that started, since its id will be given out again.

    Empty where there is no such process.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The second field is the command in parentheses, and may hold blanks and parentheses itself.
    from_third = stat.rpartition(")")[2].split()
    started = from_third[_START_FIELD - 3]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{socket.gethostname()}:{pid}:{boot}:{started}"


def release_dead_runs(instance: dg.DagsterInstance) -> None:
    """End runs of a shell whose process is gone, and free the pool slots they hold.

    A process that was killed cannot say so, and no daemon watches runs started from a shell: the
    next one would wait for the dead one's slot for ever.
    """
    unfinished = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]
    for run in instance.get_runs(dg.RunsFilter(statuses=unfinished)):
        tag = run.tags.get(PROCESS_TAG, "")
        host, _, process = tag.partition(":")
        pid = process.partition(":")[0]
        if host == socket.gethostname() and process_tag(pid) != tag:
            instance.report_run_failed(run, f"process {pid}, which ran it, is gone")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
