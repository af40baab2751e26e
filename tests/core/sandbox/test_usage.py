"""What a program's processes use is added up over all of them, and whether all of them wait."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iterpref_assets.core.sandbox.inside.usage import Processes

BURN = "import os, sys, time\ndef burn():\n    while time.process_time() < 0.2: pass\n"
WORK = {
    "the process itself": f"{BURN}burn()\n",
    "a child that has ended": f"{BURN}if os.fork() == 0: burn(); os._exit(0)\nos.wait()\n",
    "a child that lives": (
        f"{BURN}reading, writing = os.pipe()\n"
        "if os.fork() == 0: burn(); os.write(writing, b'x'); sys.stdin.read(); os._exit(0)\n"
        "os.read(reading, 1)\n"
    ),
}


@pytest.mark.parametrize("who", WORK)
def test_cpu_time_of_every_descendant_counts(who: str) -> None:
    processes = Processes(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY), None)
    before = processes.used().cpu
    program = subprocess.Popen(
        [sys.executable, "-c", f"{WORK[who]}print(flush=True)\nsys.stdin.read()\n"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    program.stdout.readline()
    used = processes.used().cpu
    program.communicate()
    os.close(processes.proc)
    assert used - before >= 0.19  # the kernel counts ended children's time by the hundredth


RUNNING, READY, DISK, ASLEEP, STOPPED, DEAD = "R", "R", "D", "S", "T", "Z"
WAITING = {
    "no process": ([], True),
    "one asleep": ([ASLEEP], True),
    "one stopped": ([STOPPED], True),
    "one dead": ([DEAD], True),
    "one that runs or could": ([RUNNING], False),
    "one that waits for a disk": ([DISK], False),
    "one of two that could run": ([ASLEEP, READY], False),
    "two asleep": ([ASLEEP, ASLEEP], True),
    "a sleeper with a thread that could run": ([ASLEEP + ASLEEP + READY], False),
    "a dead first thread beside one that could run": ([DEAD + READY], False),
    "a sleeper with threads asleep": ([ASLEEP + ASLEEP + ASLEEP], True),
}


def play_processes(folder: Path, processes: list[str]) -> None:
    """Write a `/proc` with processes of these threads, each a letter for its state."""
    for number, threads in enumerate(processes):
        pid = 5_000_000 + 100 * number  # above the kernel's largest: its clock can be asked of none
        for thread, state in enumerate(threads):
            fields = ["1", *["0"] * 13, "20", "0", str(len(threads)), *["0"] * 32]
            place = folder / f"{pid}/task/{pid + thread}"
            place.mkdir(parents=True)
            (place / "stat").write_text(f"{pid + thread} (a (R) b) {state} {' '.join(fields)}\n")
        (folder / f"{pid}/status").write_text("Name:\ta\n")
        (folder / f"{pid}/stat").write_text((folder / f"{pid}/task/{pid}/stat").read_text())


@pytest.mark.parametrize("what", WAITING)
def test_a_program_waits_where_none_of_its_threads_runs_or_could(tmp_path: Path, what: str) -> None:
    threads, waits = WAITING[what]
    play_processes(tmp_path, threads)
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    assert Processes(descriptor, {1}).used().waits is waits
    os.close(descriptor)


BUSY = {
    "a process": "print(flush=True)\nwhile True: pass\n",
    "a thread beside one that waits": (
        "import threading\ndef burn():\n    print(flush=True)\n    while True: pass\n"
        "threading.Thread(target=burn).start()\n"
    ),
    "a child of one that waits": (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'print(flush=True)\\nwhile True: pass'])\n"
    ),
}


@pytest.mark.parametrize("who", BUSY)
def test_a_program_of_which_something_computes_does_not_wait(who: str) -> None:
    processes = Processes(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY), None)
    program = subprocess.Popen(
        [sys.executable, "-c", BUSY[who]], stdout=subprocess.PIPE, start_new_session=True
    )
    assert program.stdout is not None
    program.stdout.readline()
    found = [processes.used().waits for _ in range(20)]
    os.killpg(program.pid, signal.SIGKILL)
    program.communicate()
    os.close(processes.proc)
    assert found == [False] * 20


def test_a_program_that_reads_what_nobody_writes_waits() -> None:
    processes = Processes(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY), None)
    program = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    while not processes.used().waits:
        time.sleep(0.01)
    program.communicate()
    os.close(processes.proc)
