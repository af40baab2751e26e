"""Scripts come to the end that Python itself gives them, with all that they print by then."""

import pytest
from patient_sandbox import SOON

from iterpref_assets.core.records import StdioCase, StdioTests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

THREE = StdioTests(cases=(StdioCase(stdin="3\n", stdout="3\n"),))

PRINTS_THREE = {
    "at exit": "import atexit\n@atexit.register\ndef end(): print(3)\n",
    "at exit, what a buffer holds": (
        "import atexit, io, sys\nsys.stdout = buffer = io.StringIO()\n"
        "atexit.register(lambda: sys.__stdout__.write(buffer.getvalue()))\nprint(3)\n"
    ),
    "in a thread that is not joined": (
        "import threading, time\ndef main():\n    time.sleep(0.2)\n    print(3)\n"
        "threading.Thread(target=main).start()\n"
    ),
    "in a thread, after an exit": (
        "import sys, threading, time\ndef main():\n    time.sleep(0.2)\n    print(3)\n"
        "threading.Thread(target=main).start()\nsys.exit()\n"
    ),
    "in an executor that is not shut down": (
        "import time\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "def main():\n    time.sleep(0.2)\n    print(3)\n"
        "pool = ThreadPoolExecutor(2)\npool.submit(main)\n"
    ),
    "in a process that is not joined": (
        "import multiprocessing, time\ndef main():\n    time.sleep(0.2)\n    print(3, flush=True)\n"
        "multiprocessing.Process(target=main).start()\n"
    ),
    "into a file that is not closed": "out = open(1, 'w', closefd=False)\nout.write('3')\n",
    "into a file that a function holds": (
        "out = open(1, 'w', closefd=False)\ndef write(): out.write('3')\nwrite()\n"
    ),
    "into a file that stands in for stdout": (
        "import sys\nclass Out:\n    def __init__(self): self.file = open(1, 'w')\n"
        "    def write(self, text): self.file.write(text)\nsys.stdout = Out()\nprint(3)\n"
    ),
    "in a destructor": (
        "import sys\nclass End:\n    def __del__(self): sys.stdout.write(str(three))\n"
        "end = End()\nthree = 3\n"
    ),
    "before stdout is replaced": "import io, sys\nprint(3)\nsys.stdout = io.StringIO()\n",
    "before stdout is closed": "import sys\nprint(3)\nsys.stdout.close()\n",
    "before stdout is detached": "import sys\nprint(3)\nsys.stdout.detach()\n",
    "before stdout is None": "import sys\nprint(3, flush=True)\nsys.stdout = None\n",
    "through an object without flush": (
        "import sys\nclass Out:\n    def write(self, text): sys.__stdout__.write(text)\n"
        "sys.stdout = Out()\nprint(3)\n"
    ),
    "from the folder of its file": (
        "import os\nassert os.path.dirname(os.path.abspath(__file__)) == os.getcwd()\nprint(3)\n"
    ),
    "after reading its own source": (
        "import inspect\ndef three(): return 3\nprint(inspect.getsource(three).split()[-1])\n"
    ),
    "after reading the source of its own class": (
        "import inspect\nclass Three: value = 3\nprint(inspect.getsource(Three).split()[-1])\n"
    ),
    "after reading its own traceback": (
        "import traceback\ntry: 1 / 0\n"
        "except ZeroDivisionError: print(3 if '1 / 0' in traceback.format_exc() else 0)\n"
    ),
}


@pytest.mark.parametrize("how", PRINTS_THREE)
def test_all_that_a_script_prints_counts(sandbox: Sandbox, how: str) -> None:
    assert sandbox.judge(PRINTS_THREE[how], THREE).verdict is Verdict.PASSED


@pytest.mark.parametrize("steps", [1_000, 60_000, 120_000])
def test_a_thread_that_is_not_joined_never_loses_its_output(sandbox: Sandbox, steps: int) -> None:
    code = (
        "import threading\ndef main():\n    n = 0\n"
        f"    for i in range({steps}): n += i\n"
        "    print(3)\nthreading.Thread(target=main).start()\n"
    )
    verdicts = [sandbox.judge(code, THREE).verdict for _ in range(5)]
    assert verdicts == [Verdict.PASSED] * 5


def test_a_script_that_raises_still_prints_at_exit(sandbox: Sandbox) -> None:
    code = "import atexit\natexit.register(print, 3)\nraise KeyError('x')\n"
    run = sandbox.run_program(code, "")
    assert run.raised is not None
    assert (run.stdout, run.raised.error_type) == (b"3\n", "KeyError")


@pytest.mark.parametrize(
    "end",
    [
        "import atexit\natexit.register(lambda: 1 / 0)\n",
        "import threading\nthreading.Thread(target=lambda: 1 / 0).start()\n",
        "class End:\n    def __del__(self): raise KeyError\nend = End()\n",
        "import threading\nthreading._shutdown = None\n",
    ],
)
def test_an_error_at_the_end_is_no_outcome(sandbox: Sandbox, end: str) -> None:
    assert sandbox.judge(f"{end}print(3)\n", THREE).verdict is Verdict.PASSED


def test_a_script_whose_thread_never_ends_runs_out_of_time(sandbox: Sandbox) -> None:
    code = "import threading\ndef main():\n    while True: pass\n"
    code += "threading.Thread(target=main).start()\nprint(3)\n"
    assert sandbox.judge(code, THREE, SOON).verdict is Verdict.TIMEOUT


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("opened", ["open('/dev/stdin')", "open(0)", "Path('/dev/stdin').open()"])
def test_a_script_may_open_its_input_by_name(sandbox: Sandbox, opened: str) -> None:
    code = f"from pathlib import Path\nwith {opened} as file: print(file.read())"
    assert sandbox.judge(code, THREE).verdict is Verdict.PASSED


@pytest.mark.usefixtures("namespaces")
def test_the_input_of_one_script_is_not_the_nexts(sandbox: Sandbox) -> None:
    sandbox.judge("pass", THREE)
    code = "import os\ndef f(): return os.path.exists('/dev/stdin'), os.listdir('/dev/shm')"
    (outcome,) = sandbox.run_calls(code, "f", [()]).outcomes
    assert outcome.value() == (False, [])
