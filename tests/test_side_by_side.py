"""Partitions of a real step, published by several processes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.errors import InputError
from iterpref_assets.settings import Settings
from iterpref_assets.side_by_side import processes
from iterpref_assets.steps.raw_seeds import RAW_SEEDS

TWO_SHARDS = {"seeds": {"kind": "lab", "lab": {"shards": 2, "problems_per_shard": 3}}}

WAITS = """
import multiprocessing, sys, time
from iterpref_assets.settings import Settings
from iterpref_assets.side_by_side import processes
if __name__ == "__main__":
    with processes(Settings(), 1) as several:
        print(several.pool.submit(__import__("os").getpid).result(), flush=True)
        time.sleep(60)
"""


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


def test_a_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text(WAITS)
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as started:
        assert started.stdout is not None
        other = Path("/proc", started.stdout.readline().strip())
        assert other.exists()
        started.kill()
    ended = time.monotonic() + 30
    while other.exists() and time.monotonic() < ended:
        time.sleep(0.05)
    assert not other.exists()
