"""The second back end: every attack again, in a container isolated by other means.

The container is made here with bubblewrap, the way an engine would: no network, a read-only root,
all capabilities dropped, no new privileges, an ordinary user, and no bubblewrap inside.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from iterpref_assets.core.errors import SandboxUnavailableError
from iterpref_assets.core.sandbox import bubblewrap, container
from iterpref_assets.core.sandbox.inside.isolation import empty_directory
from iterpref_assets.core.sandbox.sandbox import Sandbox

REPOSITORY = Path(__file__).resolve().parents[3]


def run_in_container(*command: str) -> subprocess.CompletedProcess[str]:
    arguments = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--cap-drop", "ALL"]
    inside: list[str] = []
    passed: list[int] = []
    if os.geteuid() == 0:
        passed = [bubblewrap._user_namespace()]
        arguments += ["--userns", str(passed[0]), "--cap-add", "CAP_SETUID"]
        arguments += ["--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
        inside = ["setpriv", "--reuid=1", "--regid=1", "--clear-groups", "--inh-caps=-all"]
        inside += ["--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    else:
        arguments += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    # Before the places: a checkout may lie below it.
    arguments += ["--perms", "1777", "--tmpfs", "/tmp"]
    places = [Path(sys.base_prefix), REPOSITORY, Path(sys.prefix)]
    for folder in {parent for place in places for parent in place.parents} - {Path("/")}:
        arguments += ["--perms", "0755", "--dir", str(folder)]
    for place in [*map(Path, ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc")), *places]:
        arguments += ["--ro-bind-try", str(place), str(place)]
    arguments += ["--ro-bind", "/dev/null", str(shutil.which("bwrap"))]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/"]
    arguments += ["--chdir", str(REPOSITORY)]
    arguments += ["--setenv", "PYTHONDONTWRITEBYTECODE", "1", "--setenv", "HOME", "/tmp"]
    return subprocess.run(
        [*arguments, *inside, *command], pass_fds=passed, capture_output=True, text=True
    )


def test_container_counts_as_isolated() -> None:
    code = "from iterpref_assets.core.sandbox import container; print(container.shortcomings())"
    done = run_in_container(sys.executable, "-c", code)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.timeout(3600)
def test_attacks_fail_in_a_container_too() -> None:
    if os.environ.get("HOME") == "/tmp":
        pytest.skip("this is the container")
    files = [str(path) for path in Path(__file__).parent.glob("test_attacks_*.py")]
    done = run_in_container(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


@pytest.mark.sandbox
def test_a_script_may_open_its_input_by_name_in_a_container() -> None:
    code = (
        "from iterpref_assets.core.sandbox.sandbox import Sandbox\n"
        "with Sandbox(1) as sandbox:\n"
        "    run = sandbox.run_program('print(open(\"/dev/stdin\").read())', 'said')\n"
        "    print(type(sandbox._settings.backend).__name__, run.stdout)"
    )
    done = run_in_container(sys.executable, "-c", code)
    assert done.stdout.split() == ["ContainerBackend", "b'said\\n'"], done.stderr


@pytest.mark.sandbox
def test_a_program_apart_from_its_tests_can_neither_signal_nor_outlive_them() -> None:
    test = (
        "import unittest\\nclass T(unittest.TestCase):\\n"
        "    def test_a(self): self.assertEqual(f(3), 9)"
    )
    hostile = (
        "import os, signal\\ndef f(x):\\n    os.fork()\\n    for pid in range(2, 60):\\n"
        "        if pid != os.getpid():\\n            try: os.kill(pid, signal.SIGKILL)\\n"
        "            except OSError: pass\\n    return x * x"
    )
    code = (
        "from iterpref_assets.core.sandbox.sandbox import Sandbox\n"
        "from iterpref_assets.core.sandbox.code_tests import ProxiedTests\n"
        f"tests = ProxiedTests('{test}', '', 'f')\n"
        "with Sandbox(1) as sandbox:\n"
        "    for program in ('def f(x): return x * x', 'def f(x): return x', "
        f"'{hostile}'):\n"
        "        print(sandbox.judge(program, tests).verdict)\n"
        "    print(type(sandbox._settings.backend).__name__)\n"
    )
    done = run_in_container(sys.executable, "-c", code)
    said = done.stdout.split()
    assert said == ["passed", "wrong_answer", "passed", "ContainerBackend"], done.stderr


@pytest.mark.parametrize(("version", "missed"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_kernel_that_lets_programs_truncate_others_files_does_not_do(
    monkeypatch: pytest.MonkeyPatch, version: int, missed: bool
) -> None:
    monkeypatch.setattr(container.landlock, "version", lambda: version)
    found = [fault for fault in container.shortcomings() if "Landlock" in fault]
    assert bool(found) is missed


def test_a_folder_is_emptied_whatever_names_were_left_in_it(tmp_path: Path) -> None:
    for number in range(1, 20):
        (tmp_path / f".lifted-{number}" / "inner").mkdir(parents=True)
        (tmp_path / f"other-{number}" / "inner" / "most").mkdir(parents=True)
    empty_directory(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_host_does_not_count_as_an_isolated_container() -> None:
    assert container.shortcomings()


def test_without_isolation_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxUnavailableError) as caught:
        Sandbox(workers=1)
    assert "bubblewrap is not installed" in str(caught.value)
    assert "apt install bubblewrap" in str(caught.value)


def test_broken_bubblewrap_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(fake))
    with pytest.raises(SandboxUnavailableError, match="No permissions to create new namespace"):
        Sandbox(workers=1)
