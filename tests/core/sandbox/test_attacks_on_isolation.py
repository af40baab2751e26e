"""Programs that try to reach what lies outside: host, network, other programs, the runner."""

import os
from pathlib import Path
from typing import Any

import pytest

from iterpref_assets.core.records import Case, FunctionTests, StdioCase, StdioTests
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

from .conftest import SQUARE, SQUARES, Attack, descendants


def test_network_cannot_be_reached(look: Any) -> None:
    assert look("import socket\nsocket.create_connection(('192.0.2.1', 80), 1)") == "OSError"


def test_loopback_of_the_host_cannot_be_reached(look: Any) -> None:
    assert look("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)") == "OSError"


def test_unix_sockets_of_the_host_cannot_be_reached(look: Any) -> None:
    assert look("import socket\nsocket.socket(socket.AF_UNIX)") == "OSError"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("ptrace", 101),
        ("mount", 165),
        ("umount2", 166),
        ("pivot_root", 155),
        ("unshare", 272),
        ("setns", 308),
        ("bpf", 321),
        ("keyctl", 250),
        ("add_key", 248),
        ("perf_event_open", 298),
        ("process_vm_readv", 310),
        ("process_vm_writev", 311),
        ("io_uring_setup", 425),
        ("userfaultfd", 323),
        ("shmget", 29),
        ("semget", 64),
        ("msgget", 68),
        ("mq_open", 240),
        ("memfd_create", 319),
        ("kexec_load", 246),
        ("init_module", 175),
        ("open_by_handle_at", 304),
        ("chroot", 161),
        ("personality", 135),
    ],
)
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86-64 system calls")
def test_dangerous_system_calls_do_not_exist(look: Any, name: str, number: int) -> None:
    body = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
return [libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno()]
"""
    assert look(body) == [-1, 38], name


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of x86-64 system calls")
def test_clone_makes_no_namespaces(look: Any) -> None:
    body = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
return libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
"""
    assert look(body) == -1


def test_capabilities_are_gone(look: Any) -> None:
    body = """
import ctypes
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
held = (ctypes.c_uint32 * 6)(*[1] * 6)
ctypes.CDLL(None).capget(header, held)
return list(held)
"""
    assert look(body) == [0] * 6


def test_no_new_privileges_can_be_had(look: Any) -> None:
    body = "import ctypes\nreturn ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)"
    assert look(body) == 1


def test_changing_identity_fails(look: Any) -> None:
    assert look("import os\nos.setuid(1234)") == "OSError"


def test_writing_outside_the_directory_fails(look: Any) -> None:
    body = """
import os, sys
written = []
for folder in ("/", "/dev", "/usr", "/usr/lib", "/etc", "/runner", "/packages", "/root",
               "/proc", sys.prefix, os.path.dirname(os.__file__)):
    try:
        with open(folder + "/trace", "w") as file: file.write("x")
        written.append(folder)
    except OSError: pass
return written
"""
    assert look(body) == []


def test_a_file_of_the_judge_cannot_be_truncated(look: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal"
    file.write_text("finished work")
    refused = look(f"import os\nos.truncate({str(file)!r}, 0)")
    assert refused in ("FileNotFoundError", "PermissionError")  # on a host, in a container
    assert file.read_text() == "finished work"


@pytest.mark.usefixtures("namespaces")
def test_own_directory_is_empty_and_writable(look: Any) -> None:
    body = "import os\nopen('note', 'w').write('x')\nreturn [os.getcwd(), os.listdir()]"
    assert look(body) == ["/box", ["note"]]


@pytest.mark.usefixtures("namespaces")
def test_next_program_finds_none_of_the_files_left_behind(sandbox: Sandbox) -> None:
    leave = """
import os
def f():
    for folder in (".", "/dev/shm", "/tmp"):
        with open(folder + "/note", "w") as file: file.write("x")
        os.makedirs(folder + "/deep/er")
        os.chmod(folder + "/deep", 0)
        os.symlink("/", folder + "/root")
"""
    look = "import os\ndef f(): return [os.listdir(each) for each in ('.', '/dev/shm', '/tmp')]"
    sandbox.run_calls(leave, "f", [()])
    assert sandbox.run_calls(look, "f", [()]).outcomes[0].value() == [[], [], []]


@pytest.mark.usefixtures("namespaces")
def test_tree_too_deep_to_walk_is_cleaned_away(attack: Attack) -> None:
    code = """
import os
def square(x):
    for _ in range(3000):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    return x * x
"""
    assert attack(code).verdict is Verdict.PASSED


@pytest.mark.usefixtures("namespaces")
def test_symlinks_lead_to_nothing_of_the_host(look: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host")
    body = f"import os\nos.symlink({str(secret)!r}, 'link')\nreturn open('link').read()"
    assert look(body) == "FileNotFoundError"


@pytest.mark.usefixtures("namespaces")
def test_files_of_the_host_are_not_there(look: Any) -> None:
    here = str(Path(__file__).resolve())
    paths = [here, "/etc/passwd", "/etc/shadow", "/home", "/work", "/var", "/sys", "/boot", "/run"]
    assert look(f"import os\nreturn [p for p in {paths!r} if os.path.exists(p)]") == []


@pytest.mark.usefixtures("namespaces")
def test_dot_dot_leads_nowhere(look: Any) -> None:
    names = look("import os\nreturn os.listdir('../../../..')")
    assert "home" not in names
    assert "work" not in names


def test_environment_holds_none_of_the_hosts(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    with Sandbox(workers=1) as fresh:
        code = "import os\ndef f(): return sorted(os.environ)"
        names = fresh.run_calls(code, "f", [()]).outcomes[0].value()
    assert "SECRET_TOKEN" not in names
    assert "HOME" in names


def test_no_descriptor_is_inherited_but_the_result_channel(look: Any) -> None:
    body = """
import os
found = []
for descriptor in range(1024):
    try: os.fstat(descriptor)
    except OSError: continue
    found.append(descriptor)
return found
"""
    assert look(body) == [0, 1, 2, 3]


def test_project_itself_cannot_be_imported(look: Any) -> None:
    assert look("import iterpref_assets") == "ModuleNotFoundError"


def test_packages_not_granted_cannot_be_imported(look: Any) -> None:
    assert look("import evalplus") == "ModuleNotFoundError"


@pytest.mark.usefixtures("namespaces")
def test_killing_everything_kills_only_itself(attack: Attack) -> None:
    code = """
import os, signal
def square(x):
    try: os.kill(-1, signal.SIGKILL)
    except OSError: pass
    for pid in range(2, 400):
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
    return x * x
"""
    assert attack(code).verdict is Verdict.PASSED


def test_signals_to_the_parent_go_nowhere(attack: Attack) -> None:
    code = """
import os, signal
def square(x):
    try: os.kill(os.getppid(), signal.SIGKILL)
    except OSError: pass
    return x * x
"""
    assert attack(code).verdict is Verdict.PASSED


@pytest.mark.usefixtures("namespaces")
def test_other_processes_cannot_be_seen(look: Any) -> None:
    assert look("import os\nreturn [os.getpid(), os.getppid()]") == [1, 0]


def test_background_children_do_not_outlive_the_run(attack: Attack) -> None:
    code = """
import os, time
def square(x):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(0.01)
        os._exit(0)
    return x * x
"""
    assert attack(code).verdict is Verdict.PASSED


def test_children_that_ignore_signals_do_not_outlive_the_run(attack: Attack) -> None:
    code = """
import os, signal, time
def square(x):
    for _ in range(5):
        if os.fork() == 0:
            for number in range(1, 32):
                try: signal.signal(number, signal.SIG_IGN)
                except OSError: pass
            while True: time.sleep(0.01)
    return x * x
"""
    assert attack(code).verdict is Verdict.PASSED


def test_child_that_holds_the_result_channel_does_not_block_the_verdict(attack: Attack) -> None:
    code = """
import os, time
def f():
    if os.fork() == 0: time.sleep(3600)
"""
    tests = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="None"),))
    assert attack(code, tests).verdict is Verdict.PASSED


def test_child_that_answers_first_answers_for_the_program(attack: Attack) -> None:
    code = """
import os
def square(x):
    child = os.fork()
    if child: os.waitpid(child, 0)
    return x * x
"""
    assert attack(code).verdict is Verdict.REFUSED  # it answers 9 and 16, then its parent goes on


def test_child_that_answers_wrong_fails_the_program(attack: Attack) -> None:
    code = """
import os
def square(x):
    child = os.fork()
    if child: os.waitpid(child, 0)
    return x * x if child else 0
"""
    assert attack(code).verdict is Verdict.WRONG_ANSWER


def test_modules_changed_by_one_program_are_whole_in_the_next(sandbox: Sandbox) -> None:
    spoil = "import math, builtins\nmath.pi = 3\nbuiltins.sum = None\ndef f(): return math.pi"
    look = "import math\ndef f(): return [math.pi > 3, sum([])]"
    assert sandbox.run_calls(spoil, "f", [()]).outcomes[0].value() == 3
    assert sandbox.run_calls(look, "f", [()]).outcomes[0].value() == [True, 0]


def test_time_stamps_of_the_host_clock_cannot_be_set(look: Any) -> None:
    assert look("import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)") == "OSError"


@pytest.mark.usefixtures("namespaces")
def test_host_name_is_not_the_hosts(look: Any) -> None:
    assert look("import os\nreturn os.uname().nodename") == "sandbox"


def test_setuid_programs_give_nothing(look: Any) -> None:
    body = """
import os
open("tool", "w").write("#!/bin/sh")
try:
    os.chmod("tool", 0o6755)
except OSError:  # in a container modes cannot be changed at all
    return True
return os.stat("tool").st_uid == os.getuid()
"""
    assert look(body) is True


def test_devices_cannot_be_made(look: Any) -> None:
    assert look("import os\nos.mknod('disk', 0o60600, os.makedev(8, 0))") == "OSError"


def test_interpreter_cannot_be_overwritten(attack: Attack) -> None:
    code = """
import os, sys
def square(x):
    with open(os.__file__, "a") as file: file.write("raise SystemExit")
"""
    assert attack(code).verdict is Verdict.EXCEPTION


def test_stdin_of_another_run_cannot_be_read(attack: Attack) -> None:
    code = "import sys\nprint(sys.stdin.read())"
    first = StdioTests(cases=(StdioCase(stdin="one", stdout="one"),))
    second = StdioTests(cases=(StdioCase(stdin="", stdout=""),))
    assert attack(code, first).verdict is Verdict.PASSED
    assert attack(code, second).verdict is Verdict.PASSED


def test_closing_the_sandbox_ends_every_process() -> None:
    before = descendants(os.getpid())
    running = Sandbox(workers=2)
    assert running.judge(SQUARE, SQUARES).passed
    running.close()
    assert descendants(os.getpid()) == before


def test_result_channel_closed_by_the_program_is_a_crash(attack: Attack) -> None:
    code = "import os\nos.closerange(0, 100)\ndef square(x): return x * x"
    assert attack(code).verdict is Verdict.CRASHED
