"""What Dagster costs: loading, scheduling a run of the chain, and a backfill of many shards.

    export PYTHONPATH=tests/helpers
    python measurements/orchestration.py load
    python measurements/orchestration.py chain
    python measurements/orchestration.py backfill [--shards 1000] [--separate 50]

`load`: seconds that the definitions take over `import dagster`, each time in a new process.
`chain`: `iterpref run` from nothing, under the settings of the environment. The stages' own work is
the life of their worker processes, and the duration of steps that need none; the rest of the wall
time is orchestration.
`backfill`: shards of one problem, read by an asset backfill (one run for all, by the backfill
policy), then some of them by a job backfill (a run each). Meanwhile the UI's questions are timed,
and how long a run that a user launches waits until it starts.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from live_deployment import LiveDeployment
from places import ROOT

LOAD = """
import time
started = time.perf_counter()
import dagster
between = time.perf_counter()
import definitions
definitions.defs().get_repository_def()
print(between - started, time.perf_counter() - between)
"""
QUESTION = """{
  runsOrError(limit: 25) { ... on Runs { results { runId status tags { key value } } } }
  assetNodes { assetKey { path } partitionStats { numMaterialized numFailed numPartitions } }
}"""
LAUNCH = """mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } }
}"""
STARTED = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status startTime } } }"
USER_EVERY_SECONDS = 15
WAITING = {"QUEUED", "NOT_STARTED", "STARTING"}


def load(repeats: int = 7) -> None:
    """Print how long the definitions take to load."""
    times = []
    for _ in range(repeats):
        done = subprocess.run(
            [sys.executable, "-c", LOAD], cwd=ROOT, capture_output=True, text=True, check=True
        )
        times.append([float(word) for word in done.stdout.split()[-2:]])
    imported, loaded = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"import dagster {imported:.2f} s, definitions over it {loaded:.2f} s (median)")


def chain() -> None:
    """Print the share of `iterpref run` that is not the stages' own work."""
    import dagster as dg

    with tempfile.TemporaryDirectory() as folder:
        variables = {"ITERPREF_ROOT": folder, "DAGSTER_HOME": f"{folder}/dagster"}
        started = time.time()
        process = subprocess.Popen(
            [sys.executable, "-m", "iterpref_assets", "run"],
            cwd=ROOT, env={**os.environ, **variables},
        )  # fmt: skip
        workers = _lives_of_workers(process)
        wall = time.time() - started
        if process.returncode:
            raise SystemExit(process.returncode)
        with dg.DagsterInstance.from_config(f"{folder}/dagster") as instance:
            steps = list(_steps(instance))
    own = sum(end - begin for begin, end in workers)
    own += sum(
        end - begin
        for begin, end in steps
        if not any(begin <= worker[0] <= end for worker in workers)
    )
    in_steps = sum(end - begin for begin, end in steps)
    print(f"wall {wall:.1f} s, stages' own work {own:.1f} s, steps {in_steps:.1f} s")
    print(f"orchestration {1 - own / wall:.1%} of the wall time, {1 - in_steps / wall:.1%} of it")
    print("outside of steps")


def _lives_of_workers(process: subprocess.Popen[bytes]) -> list[tuple[float, float]]:
    """When each worker process below `process` began and ended, until `process` ends."""
    parent = psutil.Process(process.pid)
    begun: dict[int, float] = {}
    ended: dict[int, float] = {}
    while process.poll() is None:
        now, alive = time.time(), _workers_below(parent)
        # Not psutil's create_time: it counts from a boot time that may be seconds off.
        begun |= {pid: now for pid in alive if pid not in begun}
        ended |= {pid: now for pid in begun if pid not in alive and pid not in ended}
        time.sleep(0.05)
    return [(begun[pid], ended.get(pid, time.time())) for pid in begun]


def _workers_below(parent: psutil.Process) -> set[int]:
    found = set()
    for child in parent.children():
        try:
            if "iterpref_assets.workers" in child.cmdline():
                found.add(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found


def _steps(instance: object) -> Iterator[tuple[float, float]]:
    """When each step of every run began and ended."""
    import dagster as dg

    kinds = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS}
    for run in instance.get_runs():
        begun: dict[str, float] = {}
        for record in instance.get_records_for_run(run.run_id, of_type=kinds).records:
            event = record.event_log_entry
            if event.dagster_event_type is dg.DagsterEventType.STEP_START:
                begun[event.step_key] = event.timestamp
            else:
                yield begun[event.step_key], event.timestamp


def backfill(shards: int, separate: int) -> None:
    """Print how a deployment answers while many shards are read."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = LiveDeployment(Path(folder), _write_seeds(Path(folder), shards))
        _require(deployment.command("iterpref", "prepare"))
        with deployment.serving():
            with _watched(deployment, f"asset backfill, {shards} shards in one run"):
                _require(deployment.command("iterpref", "backfill", "raw_seeds", "--all", "--wait"))
            names = ",".join(_name(index) for index in range(separate))
            with _watched(deployment, f"job backfill, {separate} shards, a run each"):
                _require(
                    deployment.command(
                        "dagster", "job", "backfill", "-j", "read_seeds",
                        "--partitions", names, "--noprompt", "-w", "workspace.yaml",
                    )
                )  # fmt: skip
                _await_runs(deployment, separate)


def _name(index: int) -> str:
    return f"shard-{index:04d}"


def _write_seeds(folder: Path, shards: int) -> dict[str, str]:
    """Seed files of one problem each; the settings that lead to them."""
    seeds, heldout = folder / "seeds", folder / "heldout.jsonl"
    seeds.mkdir()
    for index in range(shards):
        (seeds / f"{_name(index)}.jsonl").write_text(_problem(_name(index), "train"))
    heldout.write_text(_problem("heldout", "heldout"))
    source = {"kind": "files", "folder": str(seeds), "heldout": str(heldout)}
    return {"ITERPREF_SEEDS": json.dumps(source)}


def _problem(name: str, split: str) -> str:
    problem = {
        "problem_id": name, "source": "benchmark", "split": split, "entry_point": "f",
        "prompt": f"Return {name!r}.", "reference": f"def f():\n    return {name!r}",
        "tests": {
            "kind": "function", "entry_point": "f",
            "cases": [{"arguments": "()", "expected": repr(name)}],
        },
    }  # fmt: skip
    return json.dumps(problem) + "\n"


@contextmanager
def _watched(deployment: LiveDeployment, title: str) -> Iterator[None]:
    """Ask what the UI asks and launch what a user launches; print what both waited."""
    stop = threading.Event()
    answers: list[float] = []
    starts: list[float] = []
    threads = [
        threading.Thread(target=_repeat, args=(stop, 0.5, answers, lambda: _answer(deployment))),
        threading.Thread(
            target=_repeat, args=(stop, USER_EVERY_SECONDS, starts, lambda: _start(deployment))
        ),
    ]
    for thread in threads:
        thread.start()
    started = time.perf_counter()
    yield
    wall = time.perf_counter() - started
    stop.set()
    for thread in threads:
        thread.join()
    print(f"{title}: {wall:.1f} s")
    for what, waits in (("answers of the UI", answers), ("starts of a user's run", starts)):
        ordered = sorted(waits)
        print(
            f"    {what}: {len(waits)}, median {statistics.median(ordered):.2f} s, "
            f"95% {ordered[math.ceil(0.95 * len(ordered)) - 1]:.2f} s, longest {ordered[-1]:.2f} s"
        )


def _repeat(
    stop: threading.Event, pause: float, waits: list[float], act: Callable[[], float]
) -> None:
    while not stop.is_set():
        waits.append(act())
        stop.wait(pause)


def _answer(deployment: LiveDeployment) -> float:
    started = time.perf_counter()
    deployment.ask(QUESTION)
    return time.perf_counter() - started


def _start(deployment: LiveDeployment) -> float:
    """Seconds from launching a run of an asset until it starts."""
    selector = {
        "repositoryLocationName": "iterpref", "repositoryName": "__repository__",
        "jobName": "__ASSET_JOB", "assetSelection": [{"path": ["heldout_problems"]}],
    }  # fmt: skip
    launched = time.time()
    answer = deployment.ask(LAUNCH, params={"selector": selector, "mode": "default"})["launchRun"]
    run = answer["run"]["runId"]
    while (found := deployment.ask(STARTED, id=run)["runOrError"])["status"] in WAITING:
        time.sleep(0.2)
    return found["startTime"] - launched


def _await_runs(deployment: LiveDeployment, wanted: int) -> None:
    query = (
        '{ runsOrError(filter: {pipelineName: "read_seeds", '
        "statuses: [SUCCESS, FAILURE, CANCELED]}) { ... on Runs { count } } }"
    )
    while deployment.ask(query)["runsOrError"]["count"] < wanted:
        time.sleep(1)


def _require(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def main() -> None:
    """Parse the options, measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("load")
    commands.add_parser("chain")
    many = commands.add_parser("backfill")
    many.add_argument("--shards", type=int, default=1000)
    many.add_argument("--separate", type=int, default=50)
    arguments = parser.parse_args()
    if arguments.command == "load":
        load()
    elif arguments.command == "chain":
        chain()
    else:
        backfill(arguments.shards, arguments.separate)


if __name__ == "__main__":
    main()
