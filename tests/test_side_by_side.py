"""Partitions of a real step, published by several processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import Settings
from iterpref_assets.side_by_side import ProcessLostError, processes
from iterpref_assets.steps.raw_seeds import RAW_SEEDS
from iterpref_assets.steps.step import StepContext
from iterpref_assets.workers.gpus import VISIBLE

TWO_SHARDS = {"seeds": {"kind": "lab", "lab": {"shards": 2, "problems_per_shard": 3}}}

WAITS = """
import multiprocessing, os, time
from iterpref_assets.settings import Settings
from iterpref_assets.side_by_side import processes
if __name__ == "__main__":
    with processes(Settings(), 1) as several:
        working = several.pool.submit(os.getpid)
        print({known_by}, flush=True)
        time.sleep(60)
"""

IS_INTERRUPTED = """
import multiprocessing, sys, threading, time
from iterpref_assets.settings import Settings
from iterpref_assets.side_by_side import processes
from iterpref_assets.steps.raw_seeds import RAW_SEEDS

def tell_of_processes():
    while len(several := multiprocessing.active_children()) < 2:
        time.sleep(0.01)
    print(*(each.pid for each in several), flush=True)

if __name__ == "__main__":
    threading.Thread(target=tell_of_processes, daemon=True).start()
    parts = [["lab-000"], ["lab-001"]]
    try:
        with processes(Settings(), 2) as several:
            several.publish(RAW_SEEDS, parts, lambda _: time.sleep(60))
    except KeyboardInterrupt:
        sys.exit(7)
"""

WHEN_IT_WORKS, WHEN_IT_STARTS = "working.result()", "multiprocessing.active_children()[0].pid"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"root": tmp_path, **TWO_SHARDS})


def test_each_part_is_published_and_told(settings: Settings) -> None:
    told: list[int] = []
    names = settings.seeds.shards()
    with processes(settings, 2) as several:
        several.publish(RAW_SEEDS, [[name] for name in names], told.append)
    store = ArtifactStore(settings.root)
    rows = [store.current(ArtifactKey(RAW_SEEDS.asset, name)).manifest.row_count for name in names]
    assert rows == [3, 3]
    assert told == [1, 1]


def test_bad_input_of_a_process_is_raised_as_it_was(settings: Settings) -> None:
    with processes(settings, 2) as several, pytest.raises(InputError, match="nowhere"):
        several.publish(RAW_SEEDS, [["nowhere"]], lambda _: None)


def test_processes_get_the_gpus_in_turn(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VISIBLE, "3,5")
    seen: set[str | None] = set()
    ended = time.monotonic() + 60
    with processes(settings, 2) as several:
        while len(seen) < 2 and time.monotonic() < ended:
            seen.update(several.pool.map(os.getenv, [VISIBLE] * 8))
    assert seen == {"3", "5"}


def test_a_process_that_is_killed_is_told_in_a_sentence(settings: Settings) -> None:
    with processes(settings, 1) as several:
        os.kill(several.pool.submit(os.getpid).result(), signal.SIGKILL)
        with pytest.raises(ProcessLostError, match="that made raw_seeds was killed"):
            several.publish(RAW_SEEDS, [["lab-000"]], lambda _: None)


def test_processes_that_start_leave_an_interruption_to_the_starter(settings: Settings) -> None:
    def interrupt() -> None:
        while not (started := multiprocessing.active_children()):
            time.sleep(0.01)
        for each in started:
            os.kill(each.pid or 0, signal.SIGINT)

    told: list[int] = []
    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with processes(settings, 1) as several:
        several.publish(RAW_SEEDS, [["lab-000"]], told.append)
    interrupting.join()
    assert told == [1]


def test_what_several_processes_publish_is_what_one_does(
    settings: Settings, tmp_path: Path
) -> None:
    names, store = settings.seeds.shards(), ArtifactStore(tmp_path / "one")
    alone = StepContext(settings, store)
    RAW_SEEDS.publish(alone, [store.pinned(RAW_SEEDS.plan(alone, name)) for name in names])
    with processes(settings, 2) as several:
        several.publish(RAW_SEEDS, [[name] for name in names], lambda _: None)
    keys = [ArtifactKey(RAW_SEEDS.asset, name) for name in names]
    one, two = (
        [each.current(key).manifest.content_hash for key in keys]
        for each in (store, ArtifactStore(settings.root))
    )
    assert one == two


def gone(processes: list[Path]) -> bool:
    """Whether all of `processes` ended, within 30 seconds."""
    ended = time.monotonic() + 30
    while any(each.exists() for each in processes) and time.monotonic() < ended:
        time.sleep(0.05)
    return not any(each.exists() for each in processes)


@pytest.mark.parametrize("tell", [os.killpg, os.kill], ids=["terminal", "starter"])
def test_an_interruption_ends_every_process_without_a_word(
    tmp_path: Path, tell: Callable[[int, int], None]
) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(IS_INTERRUPTED)
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=tmp_path, start_new_session=True,
    ) as started:  # fmt: skip
        assert started.stdout is not None
        others = [Path("/proc", pid) for pid in started.stdout.readline().split()]
        tell(started.pid, signal.SIGINT)
        _, told = started.communicate()
    assert (len(others), started.returncode, told) == (2, 7, "")
    assert gone(others)


@pytest.mark.parametrize("known_by", [WHEN_IT_WORKS, WHEN_IT_STARTS])
def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path, known_by: str) -> None:
    script = tmp_path / "waits.py"
    script.write_text(WAITS.format(known_by=known_by))
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as started:
        assert started.stdout is not None
        other = Path("/proc", started.stdout.readline().strip())
        assert other.exists()
        started.kill()
    assert gone([other])
