"""The whole chain with real parts on a tiny slice: vLLM, the sandbox, training, Dagster."""

import fcntl
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore
from iterpref_assets.core.sampling import LOG
from iterpref_assets.defs.event_size import LARGEST_EVENT
from iterpref_assets.defs.partitions import artifact_partition
from iterpref_assets.steps.generator import COMPLETIONS_FILE

ROOT = Path(__file__).resolve().parents[1]
SLICE = {
    "ITERPREF_SEEDS": json.dumps(
        {"kind": "lab", "lab": {"shards": 2, "problems_per_shard": 24, "heldout_problems": 16}}
    ),
    "ITERPREF_TRAINING__EPOCHS": "1",
    "ITERPREF_TRAINING__BATCH_SIZE": "8",
    "ITERPREF_SAMPLED_EVALUATION__SAMPLES": "2",
}

pytestmark = [pytest.mark.e2e, pytest.mark.vllm, pytest.mark.timeout(3600)]


def environment(root: Path, variables: dict[str, str]) -> dict[str, str]:
    home = {"ITERPREF_ROOT": str(root), "DAGSTER_HOME": str(root / "dagster")}
    return {**os.environ, **SLICE, **home, **variables}


def iterpref(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "iterpref_assets", *arguments],
        cwd=ROOT, env=environment(root, variables), capture_output=True, text=True, check=False,
    )  # fmt: skip


def start(root: Path, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "iterpref_assets", *arguments],
        cwd=ROOT, env=environment(root, variables), stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deployment")


@pytest.fixture(scope="module")
def first_run(root: Path) -> subprocess.CompletedProcess[str]:
    done = iterpref(root, "run")
    assert done.returncode == 0, done.stderr[-4000:]
    return done


@dataclass(frozen=True)
class TakenUp:
    """A run that was killed while it sampled a shard, and the one after it, until pairs.

    `logged` are the completions in the killed one's log, by key, each with an end that was added
    before the other run began and that no model writes.
    """

    shard: str
    logged: dict[str, str]
    again: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def taken_up(root: Path, first_run) -> TakenUp:
    seeds = (str(seed) for seed in range(5, 15))
    log = None
    while log is None:  # a run that is over before we look is no killed one: take another
        changed = {"ITERPREF_SEEDS__LAB__SEED": next(seeds)}
        log = log_of_a_killed_run(root, **changed)
    logged = mark(log)
    again = iterpref(root, "run", "--until", "codeflow_pairs", **changed)
    assert again.returncode == 0, again.stderr[-4000:]
    return TakenUp(log.parents[1].name, logged, again)


def log_of_a_killed_run(root: Path, **variables: str) -> Path | None:
    """The log of a run that was killed as soon as it held a completion; None where it came late."""
    process = start(root, "run", **variables)
    while (log := log_with_completions(root)) is None and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    return log


def log_with_completions(root: Path) -> Path | None:
    for log in (root / "work" / "initial_samples").rglob(LOG):
        with suppress(FileNotFoundError):
            if log.read_bytes().count(b"\n") > 1:
                return log
    return None


def mark(log: Path) -> dict[str, str]:
    """Add an end to every completion in a log; the completions by key."""
    with log.with_name(f"{log.name}.lock").open("wb") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)  # the worker ends a moment after the run that it is of
        settings, *lines = log.read_text().split("\n")[:-1]
        rows = [json.loads(line) for line in lines]
        for row in rows:
            row["completion"] += "\nThis is from the log."
        log.write_text("".join(f"{line}\n" for line in (settings, *map(json.dumps, rows))))
    return {row["key"]: row["completion"] for row in rows}


@pytest.fixture
def instance(root: Path, first_run):
    with dg.DagsterInstance.from_config(str(root / "dagster")) as opened:
        yield opened


@pytest.mark.parametrize(
    "line", ["problems", "solved by round", "pairs kept", "focal share", "reference", "focal_rpo"]
)
def test_the_summary_names_what_people_look_for(first_run, line: str) -> None:
    assert line in first_run.stdout


def test_the_summary_names_the_report(first_run) -> None:
    path = Path(first_run.stdout.split("report: ")[-1].splitlines()[0])
    assert path.read_text().startswith("# ")


def test_upstream_hashes_are_those_of_the_recorded_materializations(root, instance) -> None:
    store = ArtifactStore(root)
    shown = {}
    for key in instance.all_asset_keys():
        for event in reversed(instance.fetch_materializations(key, limit=100).records):
            partition = artifact_partition(event.partition_key or "all")
            shown[f"{key.to_user_string()}/{partition}"] = event.asset_materialization.metadata
    recorded = {name: metadata["content_hash"].value for name, metadata in shown.items()}
    compared = 0
    for name in recorded:
        asset, partition = name.split("/", 1)
        for parent, digest in store.current(
            ArtifactKey(asset, partition)
        ).manifest.upstream.items():
            assert digest == recorded[parent]
            compared += 1
    assert compared > len(recorded)


def test_no_event_of_the_whole_chain_is_larger_than_one_may_be(instance) -> None:
    events = [event for run in instance.get_runs() for event in instance.all_logs(run.run_id)]
    steps = {event.step_key for event in events}
    assert {"raw_seeds", "codeflow_pairs", "checkpoints", "experiment_reports"} <= steps
    sizes = [len(dg.serialize_value(event).encode()) for event in events]
    assert 0 < max(sizes) <= LARGEST_EVENT


def test_a_run_until_an_asset_tells_where_it_and_its_pages_lie(root, first_run) -> None:
    done = iterpref(root, "run", "--until", "codeflow_pairs")
    *_, first, second, pages = done.stdout.splitlines()
    tables = (first, second)
    assert all((Path(folder) / "pairs.parquet").is_file() for folder in tables)
    assert list(Path(pages.removeprefix("pages: ")).glob("*.html"))


def test_a_run_tells_how_many_problems_have_pairs_and_why_others_have_none(first_run) -> None:
    lines = first_run.stdout.splitlines()
    [number] = [n for n, line in enumerate(lines) if line.endswith("problems have pairs")]
    having, problems = map(int, lines[number].removesuffix(" problems have pairs").split(" of "))
    assert having < problems == 48
    named = [line for line in lines if ": no pair: " in line]
    assert 0 < len(named) <= 10
    assert lines[number + 1] == named[0]


def test_a_second_run_reuses_everything(root, first_run) -> None:
    again = iterpref(root, "run")
    lines = [line for line in again.stderr.splitlines() if "seconds" not in line]
    assert again.returncode == 0
    assert not any("materialized" in line for line in lines)
    assert sum("reused" in line for line in lines) >= 12


def test_what_a_killed_run_had_logged_is_not_generated_again(root: Path, taken_up) -> None:
    samples = ArtifactStore(root).current(ArtifactKey("initial_samples", taken_up.shard))
    published = pl.read_parquet(samples.path(COMPLETIONS_FILE)).select("key", "completion")
    assert taken_up.logged.items() <= dict(published.iter_rows()).items()


@pytest.mark.parametrize("asset", ["initial_samples", "debug_trajectories", "codeflow_pairs"])
def test_what_follows_a_changed_seed_is_rebuilt(taken_up, asset: str) -> None:
    assert f"{asset}: materialized" in taken_up.again.stderr


def test_an_unknown_setting_is_one_line_and_touches_nothing(root, first_run) -> None:
    before = sorted(path for path in root.rglob("current"))
    done = iterpref(root, "run", ITERPREF_DEBUGGING__ROUNDS="3")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert sorted(path for path in root.rglob("current")) == before
