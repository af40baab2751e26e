"""Runs killed with -9 again and again, against one that was left alone."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from places import HELPERS

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.debugging.loop import LOG
from iterpref_assets.core.lab.shipped import pretrained_dir

SCRIPT = HELPERS / "killed_debugging.py"
KILLS = 20


def start(work_dir: Path, *arguments: Path) -> subprocess.Popen[bytes]:
    work_dir.mkdir(exist_ok=True)
    command = [sys.executable, SCRIPT, work_dir, work_dir / "calls", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def finished_records(work_dir: Path) -> list[dict[str, str]]:
    """The whole lines of the log after its first."""
    log = work_dir / LOG
    content = log.read_bytes() if log.exists() else b""
    return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()[1:]]


def calls_since(work_dir: Path, earlier: int) -> list[str]:
    calls = work_dir / "calls"
    return calls.read_text().splitlines()[earlier:] if calls.exists() else []


def name_of(record: dict[str, str]) -> str:
    """What the run notes when it starts the work that this record finishes."""
    if record["kind"] == "completion":
        return record["key"]
    return f"{record['problem_id']} {record['code']!r}"


def kill_and_restart(work_dir: Path, kills: int, *arguments: Path) -> None:
    """Kill `kills` runs after 0 to 14 more records each, then let one end.

    Asserts that no run starts a generation or execution that the log held when it started, and
    that the log only grows.
    """
    rng = random.Random(0)
    repeated: set[str] = set()
    for kill in range(kills + 1):
        before = finished_records(work_dir)
        called = len(calls_since(work_dir, 0))
        process = start(work_dir, *arguments)
        if kill < kills:
            target = len(before) + rng.randrange(15)
            while process.poll() is None and len(finished_records(work_dir)) < target:
                time.sleep(0.001)
            process.kill()
        process.wait()
        assert finished_records(work_dir)[: len(before)] == before
        repeated |= {name_of(record) for record in before} & {*calls_since(work_dir, called)}
    assert process.returncode == 0
    # A model may write the same program in two rounds; then its second execution is no repetition.
    written = Counter(name_of(record) for record in finished_records(work_dir))
    assert [name for name in repeated if written[name] == 1] == []


def tables(work_dir: Path) -> list[pl.DataFrame]:
    return [
        pl.read_parquet(work_dir / "versions.parquet"),
        pl.read_parquet(work_dir / "completions.parquet"),
    ]


@pytest.mark.slow
def test_killed_at_20_moments_a_run_ends_with_the_tables_of_one_left_alone(
    tmp_path: Path,
) -> None:
    assert start(tmp_path / "calm").wait() == 0
    kill_and_restart(tmp_path / "killed", KILLS)
    for calm, killed in zip(tables(tmp_path / "calm"), tables(tmp_path / "killed"), strict=True):
        assert killed.equals(calm)
    for name in ("versions.parquet", "completions.parquet"):
        calm, killed = tmp_path / "calm" / name, tmp_path / "killed" / name
        assert killed.read_bytes() == calm.read_bytes()


@pytest.mark.slow
@pytest.mark.vllm
def test_with_vllm_killed_runs_keep_every_finished_item_once_and_unmixed(
    tmp_path: Path,
) -> None:
    kill_and_restart(tmp_path / "killed", 2, pretrained_dir())
    versions, completions = tables(tmp_path / "killed")
    assert versions.select(pl.struct("trajectory_id", "round").is_unique().all()).item()
    assert completions["key"].is_unique().all()
    made = completions.select("problem_id", "sample", "round", "completion").rows()
    written = {
        (name, sample, round_): code
        for name, sample, round_, code in versions.select(
            "problem_id", "sample", "round", "code"
        ).rows()
    }
    answered = [(place, read_answer(text).program) for *place, text in made]
    programs = {tuple(place): program for place, program in answered if program}
    # The lab's model answers with programs, and they differ: one in another's place would show.
    assert len(set(programs.values())) > 10
    assert {place: written[place] for place in programs} == programs
