"""One injection: a copy of the undisturbed deployment, a fault, the next launch, the verdict."""

import functools
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from faults import processes
from faults.chain import launch, use
from faults.plan import DAMAGING, Fault, Form, Injection, replaying
from faults.verdict import Seen, Undisturbed, faults_found, faults_of_records, seen_of
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore

LAUNCH_SECONDS = 240
"""Longer than any launch takes on a busy machine: one that takes longer hangs."""
ORPHAN_SECONDS = 15
DISK = 64 << 20


@dataclass
class Outcome:
    """What came of an injection; `problems` is empty where every promise was kept.

    `landed` says whether the fault met what it was meant for: a run may be over before its kill.
    """

    landed: bool
    detail: str
    problems: list[str]


class Deployment:
    """A copy of the undisturbed deployment, without what is about to be made."""

    def __init__(self, work: Path, injection: Injection, definitions: dg.Definitions) -> None:
        self.injection, self.definitions = injection, definitions
        self.home = work / "injections" / injection.name
        shutil.rmtree(self.home, ignore_errors=True)
        self.root, self.temporary = self.home / "data", self.home / "tmp"
        self.log = self.home / "log.txt"
        self.draw = random.Random(str(injection))
        undisturbed = work / "undisturbed"
        self.temporary.mkdir(parents=True)
        shutil.copytree(undisturbed / "artifacts", self.root / "artifacts", copy_function=os.link)
        shutil.copytree(undisturbed / "dagster", self.root / "dagster")
        use(self.root, replaying(work / "recorded"))
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.temporary)
        self.store = ArtifactStore(self.root)
        names = injection.stage.partitions
        single = injection.form is Form.SINGLE
        self.partitions = (self.draw.choice(names),) if single else names
        self.keys = [ArtifactKey(injection.asset, name) for name in self.partitions]

    def without_what_is_made(self) -> None:
        """Remove the artifacts that the launch makes."""
        for key in self.keys:
            shutil.rmtree(self.store.current(key).folder.parent)

    def start(self) -> int:
        """Launch in a process of its own; its id."""
        work = functools.partial(launch, self.definitions, self.injection.asset, self.partitions)
        return processes.forked(work, self.log)


def injected(
    work: Path, injection: Injection, definitions: dg.Definitions, expected: float
) -> Outcome:
    """Break a launch, launch again, and compare with the undisturbed artifacts.

    To be called in a process of its own, which it makes the parent of all that is orphaned.

    Args:
        work: where the undisturbed deployment lies.
        injection: what is broken, and how.
        definitions: the code location.
        expected: seconds that the launch takes undisturbed; faults that are TIMED read it.
    """
    processes.adopt_orphans()
    undisturbed = Undisturbed.of(work / "undisturbed")
    deployment = Deployment(work, injection, definitions)
    break_it = _BREAKING[injection.fault]
    try:
        landed, detail, kept = break_it(deployment, expected)
        problems = _orphans()
        again = processes.ended(begun := deployment.start(), LAUNCH_SECONDS)
        if again != 0:
            processes.kill(begun)
            problems.append(f"the next launch ended with {again}: {_last_line(deployment.log)}")
        problems += _orphans()
        problems += faults_found(deployment.store, undisturbed, kept, deployment.temporary)
        problems += faults_of_records(deployment.store, deployment.keys)
    finally:
        _orphans()
    return Outcome(landed, detail, problems)


def measured_seconds(work: Path, asset: str, form: Form, definitions: dg.Definitions) -> float:
    """How long an undisturbed launch takes here and now."""
    processes.adopt_orphans()
    deployment = Deployment(work, Injection(asset, form, Fault.KILL_RUN, -1), definitions)
    deployment.without_what_is_made()
    started = time.monotonic()
    status = processes.ended(deployment.start(), LAUNCH_SECONDS)
    took = time.monotonic() - started
    if status != 0:
        raise RuntimeError(f"{asset} {form}: {deployment.log.read_text()[-2000:]}")
    shutil.rmtree(deployment.home)
    return took


Broken = tuple[bool, str, Seen]
"""Whether it landed, what exactly was done, and what was whole and finished after it."""


def _kill_run(deployment: Deployment, expected: float) -> Broken:
    deployment.without_what_is_made()
    delay = deployment.draw.uniform(0, expected)
    run = deployment.start()
    time.sleep(delay)
    landed = processes.kill(run)
    left = _orphans()
    detail = f"after {delay:.2f} s" + "".join(f"; {each}" for each in left)
    return landed, detail, seen_of(deployment.store)


def _kill_worker(deployment: Deployment, expected: float) -> Broken:
    deployment.without_what_is_made()
    due = time.monotonic() + deployment.draw.uniform(0, expected)
    run = deployment.start()
    worker = processes.worker_of(run, LAUNCH_SECONDS)
    begun = time.monotonic()
    time.sleep(max(0.0, due - begun))
    delay = time.monotonic() - begun
    landed = worker is not None and processes.kill(worker)
    status = processes.ended(run, LAUNCH_SECONDS)
    if status is None:
        processes.kill(run)
    return landed, f"{delay:.2f} s into it; run ended with {status}", seen_of(deployment.store)


def _disk_full(deployment: Deployment, _expected: float) -> Broken:
    sizes = [
        sum(entry.bytes for entry in deployment.store.current(key).manifest.files.values())
        for key in deployment.keys
    ]
    deployment.without_what_is_made()
    folder = deployment.root / "artifacts" / deployment.injection.asset
    folder.mkdir(exist_ok=True)
    kept = deployment.home / "others"
    folder.rename(kept)
    folder.mkdir()
    processes.see_own_mounts()
    pages = sum(size // 4096 + 2 for size in sizes)
    room = 4096 * deployment.draw.randint(1, max(1, pages - 1))
    processes.mount_memory(folder, DISK)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    taken = os.statvfs(folder)
    used = (taken.f_blocks - taken.f_bfree) * taken.f_frsize
    processes.mount_memory(folder, used + room, again=True)
    status = processes.ended(run := deployment.start(), LAUNCH_SECONDS)
    if status is None:
        processes.kill(run)
    said = "No space left on device" in deployment.log.read_text()
    processes.mount_memory(folder, DISK, again=True)
    return said, f"{room} bytes free; run ended with {status}", seen_of(deployment.store)


def _damage(deployment: Deployment, _expected: float) -> Broken:
    key = deployment.draw.choice(deployment.keys)
    artifact = deployment.store.current(key)
    path = artifact.path(deployment.draw.choice(sorted(artifact.manifest.files)))
    fault = deployment.injection.fault
    if fault is Fault.DELETED:
        whole = deployment.draw.random() < 0.5
        shutil.rmtree(artifact.folder) if whole else path.unlink()
        detail = f"{key}: {'the whole version' if whole else path.name}"
    else:
        content = bytearray(path.read_bytes())
        place = deployment.draw.randrange(len(content))
        path.unlink()  # it is a link to the undisturbed one
        if fault is Fault.FLIPPED:
            content[place] ^= 1 << deployment.draw.randrange(8)
        path.write_bytes(content if fault is Fault.FLIPPED else content[:place])
        detail = f"{key}: {path.name} at byte {place}"
    seen = seen_of(deployment.store)
    seen.pop(str(key), None)
    return True, detail, seen


def _two_runs(deployment: Deployment, expected: float) -> Broken:
    deployment.without_what_is_made()
    first = deployment.start()
    apart = deployment.draw.uniform(0, expected / 2)
    time.sleep(apart)
    together = processes.is_alive(first)
    second = deployment.start()
    ends = [processes.ended(run, LAUNCH_SECONDS) for run in (first, second)]
    for run, end in zip((first, second), ends, strict=True):
        if end is None:
            processes.kill(run)
    return together, f"{apart:.2f} s apart; ended with {ends}", seen_of(deployment.store)


_BREAKING: dict[Fault, Callable[[Deployment, float], Broken]] = {
    Fault.KILL_RUN: _kill_run,
    Fault.KILL_WORKER: _kill_worker,
    Fault.DISK_FULL: _disk_full,
    Fault.TWO_RUNS: _two_runs,
    **dict.fromkeys(DAMAGING, _damage),
}


def _orphans() -> list[str]:
    return [f"still runs: {each}" for each in processes.orphans_after(ORPHAN_SECONDS)]


def _last_line(log: Path) -> str:
    lines: Sequence[str] = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing was said"
