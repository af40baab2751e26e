"""Many programs through one sandbox, every tenth of them hostile: nothing may pile up.

    python measurements/sandbox_endurance.py [--programs 100000] [--workers N]

Prints, ten times, what the sandbox holds: resident memory here and of its servers, processes,
descriptors, mounts on the host and in the servers, and temporary files. Ends with exit code 1 if
any but memory has grown at the end, or memory by more than a tenth since the first look.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox_samples import machine

from iterpref_assets.core.records import Case, FunctionTests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits

LOOKS = 10
TESTS = FunctionTests(entry_point="f", cases=(Case(arguments="(3,)", expected="9"),))
LIMITS = Limits(cpu_seconds=0.2, wall_seconds=5)
RIGHT = "def f(x):\n    return x * x\n"
HOSTILE = (
    "import os\ndef f(x):\n    os.fork()\n    return x * x\n",
    "def f(x):\n    open('left', 'w').write('behind')\n    return x * x\n",
    "import os\ndef f(x):\n    os._exit(0)\n",
    "import os\ndef f(x):\n    while True: os.pipe()\n",
    "import ctypes\ndef f(x): ctypes.string_at(0)\n",
    "import os, time\ndef f(x):\n    if os.fork() == 0: time.sleep(99)\n    return x * x\n",
    "def f(x): return bytes(1 << 22)\n",
    "import os\ndef f(x):\n    os.kill(-1, 9)\n",
    "raise SystemExit\n",
    "def f(x):\n    return [0] * 10**12\n",
)


def look(first: dict[str, int] | None) -> dict[str, int]:
    """What is held now, printed with its change since the first look."""
    here = os.getpid()
    children = _descendants(here)
    mounts = [len(_lines(pid, "mountinfo")) for pid in children]
    held = {
        "MiB here": _resident(here) >> 20,
        "MiB servers": sum(map(_resident, children)) >> 20,
        "processes": len(children),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "mounts here": len(_lines(here, "mountinfo")),
        "mounts inside": sum(mounts),
        "temporary files": len(list(Path(tempfile.gettempdir()).rglob("*"))),
    }
    changes = {name: value - (first or held)[name] for name, value in held.items()}
    print(", ".join(f"{name} {held[name]} ({changes[name]:+d})" for name in held), flush=True)
    return held


def _lines(pid: int, name: str) -> list[str]:
    return Path(f"/proc/{pid}/{name}").read_text().splitlines()


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _descendants(root: int) -> list[int]:
    found = [root]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return sorted(set(found) - {root})


def main() -> None:
    """Parse the options, run, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        grown = endure(arguments.programs, arguments.workers)
    print(f"grown: {', '.join(grown) or 'nothing'}")
    sys.exit(1 if grown else 0)


def endure(programs: int, workers: int) -> list[str]:
    """Run them all, and name what has grown."""
    with Sandbox(workers) as sandbox, ThreadPoolExecutor(workers) as pool:

        def judge(number: int) -> None:
            hostile = number % LOOKS == 0
            code = HOSTILE[number // LOOKS % len(HOSTILE)] if hostile else RIGHT
            execution = sandbox.judge(code, TESTS, LIMITS)
            if not hostile and not execution.passed:
                raise RuntimeError(f"program {number}: {execution}")

        share = programs // LOOKS
        started = time.perf_counter()
        list(pool.map(judge, range(share)))
        first = held = look(None)
        for turn in range(1, LOOKS):
            list(pool.map(judge, range(turn * share, (turn + 1) * share)))
            held = look(first)
        seconds = time.perf_counter() - started
    print(f"{LOOKS * share} programs in {seconds:.0f} s: {LOOKS * share / seconds:.0f}/s")
    grown = [name for name in held if "MiB" not in name and held[name] > first[name]]
    grown += [name for name in held if "MiB" in name and held[name] > 1.1 * first[name] + 8]
    return grown


if __name__ == "__main__":
    main()
