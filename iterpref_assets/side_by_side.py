"""Partitions published by several processes at once, each with a GPU or a share of the CPUs."""

from __future__ import annotations

import ctypes
import gc
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from iterpref_assets.core.artifacts import ArtifactStore
from iterpref_assets.settings import Settings
from iterpref_assets.steps.chain import step_of
from iterpref_assets.steps.step import Step, StepContext
from iterpref_assets.workers.gpus import VISIBLE, gpus_here

LOG = {"format": "%(asctime)s  %(message)s", "datefmt": "%H:%M:%S"}
"""How a command that shows the log on stderr writes it."""
_PR_SET_PDEATHSIG = 1


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
            Exception: the first of a process; what has not begun is not begun.
        """
        futures: dict[Future[None], int] = {
            self.pool.submit(_publish, self.settings, step.asset, part): len(part) for part in parts
        }
        try:
            for future in as_completed(futures):
                future.result()
                done(futures[future])
        finally:
            for future in futures:
                future.cancel()


@contextmanager
def processes(settings: Settings, count: int) -> Generator[SideBySide]:
    """`count` processes, each with its share of the CPUs, and the GPUs given out in turn."""
    spawning = multiprocessing.get_context("spawn")
    numbers = spawning.Value("i", 0)
    with ProcessPoolExecutor(count, spawning, _begin, (count, numbers, os.getpid())) as pool:
        yield SideBySide(settings, count, pool)


def _begin(count: int, numbers: Any, starter: int) -> None:
    """Be one of `count` processes, and end with the one that started them."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
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


def _publish(settings: Settings, asset: str, partitions: Sequence[str]) -> None:
    context = StepContext(settings, ArtifactStore(settings.root))
    step = step_of(asset)
    plans = [context.store.pinned(step.plan(context, name)) for name in partitions]
    step.publish(context, plans)
    _give_memory_back()


def _give_memory_back() -> None:
    """Let the other processes of a card have what this one no longer needs of it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
