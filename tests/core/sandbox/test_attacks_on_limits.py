"""Programs that try to use more than they may."""

from dataclasses import replace

import pytest
from patient_sandbox import SOON, UNREACHED

from iterpref_assets.core.records import StdioCase, StdioTests
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import SQUARE_TEST_FILE, Attack

LITTLE_MEMORY = replace(UNREACHED, memory_bytes=256 << 20)
NO_WAITING = replace(UNREACHED, idle_seconds=0.5)


def test_infinite_loop_runs_out_of_time(attack: Attack) -> None:
    assert attack("def square(x):\n    while True: pass", limits=SOON).verdict is Verdict.TIMEOUT


def test_infinite_loop_on_import_runs_out_of_time(attack: Attack) -> None:
    assert attack("while True: pass", limits=SOON).verdict is Verdict.TIMEOUT


def test_long_c_call_runs_out_of_time(attack: Attack) -> None:
    assert (
        attack("def square(x): return len(str(7 ** (10**8)))", limits=SOON).verdict
        is Verdict.TIMEOUT
    )


def test_catching_every_exception_does_not_outlast_the_limit(attack: Attack) -> None:
    code = """
def square(x):
    while True:
        try:
            while True: pass
        except BaseException: pass
"""
    assert attack(code, limits=SOON).verdict is Verdict.TIMEOUT


def test_ignoring_every_signal_does_not_outlast_the_limit(attack: Attack) -> None:
    code = """
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
def square(x):
    while True: pass
"""
    assert attack(code, limits=SOON).verdict is Verdict.TIMEOUT


def test_sleeping_runs_into_the_wall_clock_backstop(attack: Attack) -> None:
    limits = replace(UNREACHED, wall_seconds=0.5)
    code = "import time\ndef square(x): time.sleep(3600)"
    assert attack(code, limits=limits).verdict is Verdict.TIMEOUT


WAITING = {
    "sleeps": "import time\ndef square(x): time.sleep(3600)",
    "is in a deadlock with itself": (
        "import threading\ndef square(x):\n"
        "    lock = threading.Lock()\n    lock.acquire()\n    lock.acquire()\n"
    ),
    "waits for a child that waits for it": (
        "import os\ndef square(x):\n"
        "    reading, writing = os.pipe()\n    os.fork()\n    os.read(reading, 1)\n"
    ),
    "stops itself": (
        "import os, signal\ndef square(x):\n"
        "    if os.fork() == 0: os.kill(os.getppid(), signal.SIGSTOP)\n"
        "    while True: signal.pause()\n"
    ),
}


@pytest.mark.parametrize("name", WAITING)
def test_a_program_that_only_waits_is_ended_long_before_its_wall_clock_limit(
    attack: Attack, name: str
) -> None:
    assert attack(WAITING[name], limits=NO_WAITING).verdict is Verdict.TIMEOUT


def test_a_script_that_only_waits_is_ended_long_before_its_wall_clock_limit(
    attack: Attack,
) -> None:
    tests = StdioTests(cases=(StdioCase(stdin="", stdout="x"),))
    code = "import time\nprint('x', flush=True)\ntime.sleep(3600)"
    assert attack(code, tests, NO_WAITING).verdict is Verdict.TIMEOUT


def test_a_candidate_that_only_waits_is_ended_beside_its_test_file(attack: Attack) -> None:
    code = "import time\ndef square(x): time.sleep(3600)"
    assert attack(code, SQUARE_TEST_FILE, NO_WAITING).verdict is Verdict.TIMEOUT


def test_a_program_that_wakes_up_now_and_then_is_ended_long_before_its_wall_clock_limit(
    attack: Attack,
) -> None:
    code = "import time\ndef square(x):\n    while True: time.sleep(0.005)"
    limits = replace(UNREACHED, idle_seconds=3)
    assert attack(code, limits=limits).verdict is Verdict.TIMEOUT


def test_sleep_costs_no_cpu_time(attack: Attack) -> None:
    code = "import time\ndef square(x):\n    time.sleep(1.1)\n    return x * x"
    limits = replace(UNREACHED, cpu_seconds=2)
    assert attack(code, limits=limits).verdict is Verdict.PASSED


def test_forked_burners_share_one_cpu_limit(attack: Attack) -> None:
    """No one of the eight uses half of what they may use together, so a limit for each passes."""
    code = """
import os, time
def burn():
    while time.process_time() < 0.8: pass
def square(x):
    for _ in range(7):
        if os.fork() == 0:
            burn()
            os._exit(0)
    burn()
    for _ in range(7): os.wait()
    return x * x
"""
    limits = replace(UNREACHED, cpu_seconds=2)
    assert attack(code, limits=limits).verdict is Verdict.TIMEOUT


def test_threads_share_one_cpu_limit(attack: Attack) -> None:
    """No one of the five uses half of what they may use together, so a limit for each passes."""
    code = """
import hashlib, threading, time
data = bytes(1 << 20)
def burn():
    while time.thread_time() < 0.8: hashlib.sha256(data)
def square(x):
    others = [threading.Thread(target=burn) for _ in range(4)]
    for each in others: each.start()
    burn()
    for each in others: each.join()
    return x * x
"""
    limits = replace(UNREACHED, cpu_seconds=2)
    assert attack(code, limits=limits).verdict is Verdict.TIMEOUT


def test_raising_the_limits_fails(attack: Attack) -> None:
    code = """
import resource
def square(x):
    for name in ("AS", "CPU", "NPROC", "FSIZE", "NOFILE", "STACK"):
        kind = getattr(resource, "RLIMIT_" + name)
        try: resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (ValueError, OSError): continue
        return name
    return x * x
"""
    assert attack(code).verdict is Verdict.PASSED


def test_memory_bomb_is_stopped(attack: Attack) -> None:
    code = "def square(x):\n    items = []\n    while True: items.append(bytearray(1 << 24))"
    assert attack(code, limits=LITTLE_MEMORY).verdict is Verdict.MEMORY


def test_huge_list_runs_out_of_memory(attack: Attack) -> None:
    assert attack("def square(x): return [0] * 10**10").verdict is Verdict.MEMORY


def test_catching_memory_errors_wins_nothing(attack: Attack) -> None:
    code = """
def square(x):
    items = []
    while True:
        try: items.append(bytearray(1 << 22))
        except MemoryError: pass
"""
    assert attack(code, limits=SOON).verdict is Verdict.TIMEOUT


def test_memory_bomb_spread_over_processes_is_stopped(attack: Attack) -> None:
    code = """
import os, time
for _ in range(3): os.fork()
block = bytearray(b"x" * (100 << 20))
def square(x):
    time.sleep(3600)
"""
    assert attack(code, limits=LITTLE_MEMORY).verdict is Verdict.MEMORY


def test_fork_bomb_is_stopped(attack: Attack) -> None:
    code = """
import os
def square(x):
    while True:
        try: os.fork()
        except OSError: pass
"""
    assert attack(code, limits=SOON).verdict is Verdict.TIMEOUT


def test_no_more_processes_than_allowed(attack: Attack) -> None:
    code = """
import os, time
def square(x):
    for count in range(100):
        try: child = os.fork()
        except OSError: return x * x if count < 16 else count
        if child == 0: time.sleep(3600)
"""
    assert attack(code, limits=replace(UNREACHED, processes=16)).verdict is Verdict.PASSED


def test_thread_bomb_is_stopped(attack: Attack) -> None:
    code = """
import threading, time
def square(x):
    for count in range(1000):
        try: threading.Thread(target=time.sleep, args=(3600,)).start()
        except RuntimeError: return x * x
"""
    assert attack(code).verdict is Verdict.PASSED


def test_ten_gigabytes_of_output_go_nowhere(attack: Attack) -> None:
    code = "block = 'x' * (1 << 20)\nwhile True: print(block)"
    tests = StdioTests(cases=(StdioCase(stdin="", stdout="x"),))
    execution = attack(code, tests)
    assert execution.verdict is Verdict.REFUSED


def test_output_of_a_called_function_is_discarded(attack: Attack) -> None:
    code = "def square(x):\n    print('x' * (50 << 20))\n    return x * x"
    assert attack(code).verdict is Verdict.PASSED


def test_file_larger_than_allowed_cannot_be_written(attack: Attack) -> None:
    code = """
def square(x):
    with open("big", "wb") as file:
        while True: file.write(bytes(1 << 20))
"""
    execution = attack(code, limits=replace(UNREACHED, file_bytes=4 << 20))
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "OSError")


@pytest.mark.usefixtures("namespaces")
def test_many_files_fill_only_a_small_disk(attack: Attack) -> None:
    code = """
def square(x):
    for number in range(10_000):
        with open(str(number), "wb") as file: file.write(bytes(1 << 20))
"""
    execution = attack(code)
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "OSError")


def test_descriptors_run_out(attack: Attack) -> None:
    code = "import os\ndef square(x):\n    while True: os.pipe()"
    execution = attack(code, limits=replace(UNREACHED, open_files=32))
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "OSError")


def test_deep_recursion_is_an_exception(attack: Attack) -> None:
    execution = attack("def square(x): return square(x + 1)")
    assert (execution.verdict, execution.error_type) == (Verdict.EXCEPTION, "RecursionError")


def test_recursion_without_bound_takes_down_only_itself(attack: Attack) -> None:
    code = """
import sys
sys.setrecursionlimit(10**9)
class Deep:
    def __getattr__(self, name): return getattr(self, name + "x")
def square(x): return Deep().a
"""
    assert attack(code).verdict is Verdict.CRASHED


def test_segfault_is_a_crash(attack: Attack) -> None:
    assert attack("import ctypes\ndef square(x): ctypes.string_at(0)").verdict is Verdict.CRASHED


def test_abort_is_a_crash(attack: Attack) -> None:
    assert attack("import os\ndef square(x): os.abort()").verdict is Verdict.CRASHED
