"""Partitions published by several processes at once, each with a GPU or a share of the CPUs."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.core.lifetime import end_with_starter
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.workers.gpus import VISIBLE, gpus_here

LOG = {"format": "%(asctime)s  %(message)s", "datefmt": "%H:%M:%S"}
"""How a command that shows the log on stderr writes it."""


class ProcessLostError(RuntimeError):
    """One of the processes was ended by something else than its work."""


@dataclass(frozen=True)
class SideBySide:
    """Processes that publish partitions of one root, started by `processes`."""

    settings: Settings
    count: int
    pool: ProcessPoolExecutor

    def publish(
        self, step: Step, parts: Sequence[Sequence[str]], done: Callable[[int], None]
    ) -> None:
        """Publish partitions, those of one part by one process, one after another.

        Args:
            step: whose they are; their parents are published.
            parts: partitions of it.
            done: told how many came to be there, part by part.

        Raises:
            ProcessLostError: where a process was ended, as one is that needs too much memory.
            Exception: the first that a process raises; leaving `processes` ends the others.
        """
        try:
            with _interruptions_blocked():
                futures: dict[Future[None], int] = {
                    self.pool.submit(_publish, self.settings, step.asset, part): len(part)
                    for part in parts
                }
            for future in as_completed(futures):
                future.result()
                done(futures[future])
        except BrokenProcessPool as error:
            if error.__cause__ is not None:  # none was killed: what one raised cannot be read
                raise
            raise ProcessLostError(
                f"a process that made {step.asset} was killed, maybe because memory ran out. Run "
                "the same again: it goes on where it was. Lower --at-once where it happens again"
            ) from None


@contextmanager
def processes(settings: Settings, count: int) -> Generator[SideBySide]:
    """`count` processes, each with its share of the CPUs, and the GPUs given out in turn.

    An exception within the block ends them in the middle of their work: what they publish appears
    whole or not at all.
    """
    spawning = multiprocessing.get_context("spawn")
    numbers = spawning.Value("i", 0)
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(count, spawning, _begin, (count, numbers, os.getpid())) as pool:
        try:
            yield SideBySide(settings, count, pool)
        except BaseException:
            for each in set(multiprocessing.active_children()) - others:
                each.terminate()
            raise


@contextmanager
def _interruptions_blocked() -> Generator[None]:
    """Start processes in the block that Ctrl-C does not reach while they import modules."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(count: int, numbers: Any, starter: int) -> None:
    """Be one of `count` processes, and end with the one that started them, or when it says so."""
    # No SIG_IGN and no mask: programs that are judged would inherit them.
    signal.signal(signal.SIGINT, _leave_to_starter)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    end_with_starter()
    if os.getppid() != starter:  # it ended before it could be told of
        os.kill(os.getpid(), signal.SIGTERM)
    with numbers.get_lock():
        number, numbers.value = numbers.value, numbers.value + 1
    if cards := gpus_here():
        os.environ[VISIBLE] = cards[number % len(cards)]
    share = max(len(os.sched_getaffinity(0)) // count, 1)
    os.environ.setdefault("OMP_NUM_THREADS", str(share))
    logging.basicConfig(stream=sys.stderr, **LOG)
    logging.getLogger("iterpref").setLevel(logging.INFO)


def _leave_to_starter(_number: int, _frame: FrameType | None) -> None:
    """Go on at Ctrl-C, which reaches every process of a terminal: the starter ends this one."""


def _publish(settings: Settings, asset: str, partitions: Sequence[str]) -> None:
    context = StepContext(settings, ArtifactStore(settings.root))
    step = step_of(asset)
    plans = [context.store.pinned(step.plan(context, name)) for name in partitions]
    step.publish(context, plans)
    give_memory_back()


def give_memory_back() -> None:
    """Let the other processes of a card have what this one no longer needs of it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
