"""The GPUs of this host, each lent to one step at a time.

A GPU is a file, and the worker whose step computes on it holds the file's lock. The kernel drops
the lock however the worker ends, SIGKILL included. What the worker has started, such as torchrun's
processes, does not hold it: where the worker is killed, the lock is free while they still end.
Nothing here asks the GPUs themselves, so that it works before torch is loaded: what a process sees
of them is settled then.
"""

from __future__ import annotations

import fcntl
import logging
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.files import cache_folder
from iterpref_assets.settings import Environment, Settings

VISIBLE = "CUDA_VISIBLE_DEVICES"
ORDER = "CUDA_DEVICE_ORDER"
TURN = "turn"
SECONDS_BETWEEN_TRIES = 0.5

_log = logging.getLogger("iterpref")


@contextmanager
def gpus_of_step(settings: Settings, wanted: int) -> Generator[None]:
    """Let this process see `wanted` GPUs of the host alone, which it holds within the block.

    It waits for them. Where the host has none, or Ray has chosen them already, nothing changes.

    Raises:
        InputError: where the host has some, but fewer.
    """
    cards = gpus_here() if wanted else ()
    if cards and settings.environment is Environment.RAY and settings.ray.gpus:
        _log.info("Ray gave this step GPU %s", ",".join(cards))
        cards = ()
    if not cards:
        yield
        return
    with lent(wanted, cards, _home(settings)) as mine:
        os.environ[VISIBLE] = ",".join(mine)
        _log.info("this step computes on GPU %s of %s", ",".join(mine), ",".join(cards))
        yield


def gpus_here() -> tuple[str, ...]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them.

    Those of that variable where it is set, else all that nvidia-smi lists, by its numbers.
    """
    visible = os.environ.get(VISIBLE)
    if visible is not None:
        names = (name.strip() for name in visible.split(","))
        return tuple(takewhile(lambda name: name not in {"", "-1"}, names))
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return ()
    # CUDA numbers the fastest first unless it is told to number as nvidia-smi does.
    os.environ.setdefault(ORDER, "PCI_BUS_ID")
    query = [smi, "--query-gpu=index", "--format=csv,noheader"]
    listed = subprocess.run(query, check=False, capture_output=True, text=True)
    if listed.returncode:
        _log.warning("nvidia-smi lists no GPU: %s", (listed.stdout + listed.stderr).strip())
        return ()
    return tuple(listed.stdout.split())


@contextmanager
def lent(wanted: int, cards: Sequence[str], home: Path) -> Generator[tuple[str, ...]]:
    """Hold `wanted` of `cards` within the block, whose locks lie in the folder `home`.

    One process at a time collects, so that two that want several never wait for each other, and one
    that wants all gets them in the end.

    Raises:
        InputError: where there are fewer.
    """
    if wanted > len(cards):
        raise InputError(
            f"this step computes on {wanted} GPUs at once, and {len(cards)} may be used here",
            field=VISIBLE,
            remedy="Lower tensor_parallel_size of its engine, or processes of training; or let it "
            "see more GPUs",
        )
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with ExitStack() as waiting:
            mine = _collected(wanted, cards, home, held, waiting)
        yield mine


def _collected(
    wanted: int, cards: Sequence[str], home: Path, held: ExitStack, waiting: ExitStack
) -> tuple[str, ...]:
    """The cards whose locks `held` now holds; `waiting` holds the turn until then."""
    mine: list[str] = []
    has_turn = was_told = False
    while True:
        has_turn = has_turn or _taken(home / TURN, waiting)
        for card in cards if has_turn else ():
            if len(mine) < wanted and card not in mine and _taken(home / f"gpu-{card}", held):
                mine.append(card)
        if len(mine) == wanted:
            return tuple(mine)
        if not was_told:
            was_told = True
            _log.info(
                "waiting for %d of the GPUs %s: other steps hold them, or wait for them too",
                wanted, ",".join(cards),
            )  # fmt: skip
        time.sleep(SECONDS_BETWEEN_TRIES)


def _taken(file: Path, stack: ExitStack) -> bool:
    """Whether this process has just got the lock of `file`, which `stack` then lets go."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    stack.callback(os.close, descriptor)
    return True


def _home(settings: Settings) -> Path:
    """Where all steps of this host find the locks: a cache may be shared by several hosts."""
    if settings.environment is Environment.DOCKER:
        return settings.root / "gpus"
    return cache_folder() / "gpus" / platform.node()
