"""What a program's processes use is added up over all of them."""

import os
import subprocess
import sys

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
    before, _ = processes.used()
    program = subprocess.Popen(
        [sys.executable, "-c", f"{WORK[who]}print(flush=True)\nsys.stdin.read()\n"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    program.stdout.readline()
    used, _ = processes.used()
    program.communicate()
    os.close(processes.proc)
    assert used - before >= 0.19  # the kernel counts ended children's time by the hundredth
