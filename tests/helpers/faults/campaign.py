"""Many injections, one by one, each recorded as it ends: what is recorded is not repeated."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from faults import chain, processes
from faults.injection import Outcome, injected, measured_seconds
from faults.plan import TIMED, Injection, replaying
from faults.report import machine
from iterpref_assets.core.files import locked, replace_text
from iterpref_assets.runner import load_definitions

GIVE_UP_SECONDS = 1200


class Campaign:
    """Injections into the deployment that is prepared below `work`, beside others of the same."""

    def __init__(self, work: Path) -> None:
        self.work = work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        with locked(self.work):
            self._in_a_process_of_its_own("prepare", lambda: chain.prepare(self.work))
        chain.use(self.work / "undisturbed", replaying(self.work / "recorded"))
        self.definitions = load_definitions()

    def result_of(self, injection: Injection) -> Outcome:
        """Inject; what breaks the injection itself is a problem too."""
        expected = self._seconds_of(injection) if injection.fault in TIMED else 0.0
        answer = self.work / f"{injection.name}.json"

        def inject() -> None:
            outcome = injected(self.work, injection, self.definitions, expected)
            answer.write_text(json.dumps(asdict(outcome)))

        self._in_a_process_of_its_own(injection.name, inject)
        outcome = Outcome(**json.loads(answer.read_text()))
        answer.unlink()
        if not outcome.problems:
            shutil.rmtree(self.work / "injections" / injection.name)
        return outcome

    def _seconds_of(self, injection: Injection) -> float:
        """How long the launch takes undisturbed, measured once by whoever asks first."""
        name = f"{injection.asset}-{injection.form}"
        folder = self.work / "seconds" / name
        folder.mkdir(parents=True, exist_ok=True)
        measured = folder / "seconds"

        def measure() -> None:
            took = measured_seconds(self.work, injection.asset, injection.form, self.definitions)
            replace_text(measured, str(took))

        with locked(folder):
            if not measured.is_file():
                self._in_a_process_of_its_own(name, measure)
        return float(measured.read_text())

    def _in_a_process_of_its_own(self, name: str, do: Callable[[], None]) -> None:
        """Do it where nothing of it stays: neither threads, nor mounts, nor open files."""
        log = self.work / "logs" / f"{name}.txt"
        log.parent.mkdir(exist_ok=True)
        pid = processes.forked(do, log)
        if (status := processes.ended(pid, GIVE_UP_SECONDS)) != 0:
            processes.kill(pid)
            raise RuntimeError(f"{name} ended with {status}: {log.read_text()[-3000:]}")
        log.unlink()


def rows_of(report: Path) -> Iterator[dict[str, object]]:
    """What is recorded; a last line that was cut off by a kill is not."""
    for line in report.read_text().splitlines() if report.is_file() else ():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def run(work: Path, report: Path, injections: Sequence[Injection], seconds: float) -> None:
    """Inject what is not recorded yet until the time is over."""
    deadline = time.monotonic() + seconds
    done = {row["name"] for row in rows_of(report)}
    left = [each for each in injections if each.name not in done]
    campaign = Campaign(work)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    for number, injection in enumerate(left, 1):
        if time.monotonic() > deadline:
            return
        started = time.monotonic()
        outcome = campaign.result_of(injection)
        took = round(time.monotonic() - started, 1)
        row = {
            "name": injection.name, **asdict(injection), **asdict(outcome), "seconds": took,
            "commit": commit, "date": time.strftime("%Y-%m-%d"), "machine": machine(),
        }  # fmt: skip
        with report.open("a") as lines:
            lines.write(json.dumps(row) + "\n")
            os.fsync(lines.fileno())
        print(f"{number} of {len(left)}: {injection.name}: {outcome.detail}", flush=True)
        for problem in outcome.problems:
            print(f"    {problem}", flush=True)


def serve(work: Path) -> None:
    """Answer each injection on standard input, a JSON object a line, with its outcome."""
    campaign = Campaign(work)
    for line in sys.stdin:
        outcome = campaign.result_of(Injection.of(**json.loads(line)))
        print(json.dumps(asdict(outcome)), flush=True)
