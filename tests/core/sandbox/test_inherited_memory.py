"""A program pays for no memory that its processes were forked with, and for no pages of files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from patient_sandbox import UNREACHED, PatientSandbox

from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.inside.usage import Processes
from iterpref_assets.core.sandbox.sandbox import DEFAULT_PRELOAD, Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits, Verdict

pytestmark = pytest.mark.sandbox

HELD = 64 << 20
LIMITS = replace(UNREACHED, memory_bytes=3 * HELD)
"""Six forks of a server that holds `HELD` have more resident than this, and none of their own."""

FORKING = """
import os, time
def forked(processes, own):
    pids = []
    for _ in range(processes):
        pid = os.fork()
        if pid == 0:
            held = b"x" * own
            time.sleep(1)
            os._exit(0)
        pids.append(pid)
    return {os.waitpid(pid, 0)[1] for pid in pids}
"""


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose server preloads a module that holds `HELD` bytes."""
    folder = tmp_path_factory.mktemp("libraries")
    (folder / "large.py").write_text(f"held = b'x' * {HELD}\n")
    with PatientSandbox(1, preload=(*DEFAULT_PRELOAD, "large"), libraries=folder) as running:
        yield running


def test_processes_that_hold_nothing_of_their_own_use_no_memory(preloaded: Sandbox) -> None:
    ran = preloaded.run_calls(FORKING, "forked", [(6, 0)], LIMITS)
    assert [each.value() for each in ran.outcomes] == [{0}]


def test_what_each_process_holds_beyond_that_is_added_up(preloaded: Sandbox) -> None:
    ran = preloaded.run_calls(FORKING, "forked", [(6, HELD)], LIMITS)
    assert ran.ending is Verdict.MEMORY


def judged_beside_tests(sandbox: Sandbox, own: int, limits: Limits) -> Verdict:
    code = f"from solution import forked\ndef test_f():\n    assert forked(12, {own}) == {{0}}\n"
    return sandbox.judge(FORKING, CodeTests(code=code), limits).verdict


@pytest.mark.parametrize(("own", "verdict"), [(0, Verdict.PASSED), (8 << 20, Verdict.MEMORY)])
def test_the_test_runner_is_no_memory_of_the_processes_either(own: int, verdict: Verdict) -> None:
    with PatientSandbox(1) as sandbox:
        assert (
            judged_beside_tests(sandbox, own, replace(UNREACHED, memory_bytes=48 << 20)) is verdict
        )


HOLDING = {
    "nothing": ("", 0),
    "memory of its own": (f"held = mmap.mmap(-1, {HELD}, mmap.MAP_PRIVATE)\n", HELD),
    "shared memory": (f"held = mmap.mmap(-1, {HELD})\n", HELD),
}


@pytest.mark.parametrize("what", HOLDING)
def test_memory_counts_where_it_is_written_to(what: str) -> None:
    code, memory = HOLDING[what]
    if memory:
        code += f"for place in range(0, {HELD}, mmap.PAGESIZE): held[place] = 1\n"
    processes = Processes(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY), None)
    before = processes.used().memory
    program = subprocess.Popen(
        [sys.executable, "-c", f"import mmap, sys\n{code}print(flush=True)\nsys.stdin.read()\n"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    program.stdout.readline()
    used = processes.used().memory - before
    program.communicate()
    os.close(processes.proc)
    assert memory <= used < memory + (32 << 20)


def test_pages_of_files_do_not_count(tmp_path: Path) -> None:
    fields = ["S", "1", *["0"] * 15, "1", *["0"] * 32]
    for process, own in (("self", 100), ("5000000", 400)):
        (tmp_path / process).mkdir()
        (tmp_path / process / "stat").write_text(f"1 (a) {' '.join(fields)}\n")
        (tmp_path / process / "status").write_text(
            f"Name:\ta\nRssAnon:\t{own} kB\nRssFile:\t9000 kB\nRssShmem:\t30 kB\n"
        )
    processes = Processes(os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY), {1})
    processes.begin_here()
    found = processes.used().memory
    os.close(processes.proc)
    assert found == 1024 * ((400 + 30) - (100 + 30))
