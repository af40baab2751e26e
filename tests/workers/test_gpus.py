"""Each GPU of a host is lent to one step at a time, whatever becomes of the step."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.errors import InputError
from iterpref_assets.deployment import RayConfig
from iterpref_assets.settings import Environment, load_settings
from iterpref_assets.workers import gpus
from iterpref_assets.workers.gpus import ORDER, TURN, VISIBLE, gpus_here, gpus_of_step, lent

HOLDER = """
import logging, sys
from pathlib import Path
from iterpref_assets.workers.gpus import lent
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
wanted, cards, home = int(sys.argv[1]), sys.argv[2].split(","), Path(sys.argv[3])
with lent(wanted, cards, home) as mine:
    print("holds", *mine, flush=True)
    sys.stdin.read()
"""
WAITS = "waiting for {} of the GPUs 0,1: other steps hold them, or wait for them too"

Start = Callable[[int], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process that wants so many of the GPUs 0 and 1, and holds them to its end."""
    with ExitStack() as ending:

        def started(wanted: int) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-c", HOLDER, str(wanted), "0,1", str(tmp_path / "home")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            ending.enter_context(process)
            ending.callback(process.kill)
            return process

        yield started


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_two_steps_at_once_get_different_gpus(start: Start) -> None:
    assert {said(start(1)), said(start(1))} == {"holds 0", "holds 1"}


def test_a_step_that_finds_none_free_says_so(start: Start) -> None:
    said(start(2))
    assert said(start(1)) == WAITS.format(1)


def test_a_killed_step_frees_its_gpu_for_who_waits(start: Start) -> None:
    first = start(1)
    assert said(first) == "holds 0"
    assert said(start(1)) == "holds 1"
    third = start(1)
    assert said(third) == WAITS.format(1)
    first.kill()
    assert said(third) == "holds 0"


def test_a_step_that_wants_several_is_not_overtaken_for_ever(start: Start) -> None:
    """It has GPU 1 already and waits for GPU 0, and whoever comes later waits behind it."""
    first = start(1)
    assert said(first) == "holds 0"
    large = start(2)
    assert said(large) == WAITS.format(2)
    later = start(1)
    assert said(later) == WAITS.format(1)
    first.kill()
    assert said(large) == "holds 1 0"
    large.kill()
    assert said(later) == "holds 0"


@given(wants=st.lists(st.integers(1, 3), min_size=2, max_size=5))
def test_no_gpu_is_ever_held_twice_and_everybody_is_served(
    tmp_path_factory: pytest.TempPathFactory, wants: list[int]
) -> None:
    home = tmp_path_factory.mktemp("home")
    guard, in_use, twice, served = threading.Lock(), set[str](), [], []

    def work(wanted: int) -> None:
        with lent(wanted, ("0", "1", "2"), home) as mine:
            with guard:
                twice.extend(in_use & set(mine))
                in_use.update(mine)
            time.sleep(0.001)
            with guard:
                in_use.difference_update(mine)
                served.append(len(set(mine)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpus, "SECONDS_BETWEEN_TRIES", 0.001)
        threads = [threading.Thread(target=work, args=(wanted,)) for wanted in wants]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert twice == []
    assert sorted(served) == sorted(wants)


def test_more_than_there_are_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="on 3 GPUs at once, and 2 may be used"),
        lent(3, ("0", "1"), tmp_path),
    ):
        pass


def test_what_the_variable_names_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "2, GPU-1f")
    assert gpus_here() == ("2", "GPU-1f")


@pytest.mark.parametrize(("visible", "used"), [("", ()), ("-1", ()), ("3,-1,4", ("3",))])
def test_the_first_gpu_that_there_is_not_ends_the_list(
    monkeypatch: pytest.MonkeyPatch, visible: str, used: tuple[str, ...]
) -> None:
    monkeypatch.setenv(VISIBLE, visible)
    assert gpus_here() == used


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An nvidia-smi that lists the GPUs 0 and 1."""
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(ORDER, "FASTEST_FIRST")
    monkeypatch.delenv(ORDER)  # which the fixture's end restores, whatever a test sets
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    program.chmod(0o755)
    return program


def test_without_the_variable_all_that_are_listed_may_be_used(smi: Path) -> None:
    assert gpus_here() == ("0", "1")


def test_cuda_numbers_gpus_as_they_are_listed(smi: Path) -> None:
    gpus_here()
    assert os.environ[ORDER] == "PCI_BUS_ID"


def test_a_driver_that_does_not_answer_is_logged(
    smi: Path, caplog: pytest.LogCaptureFixture
) -> None:
    smi.write_text("#!/bin/sh\necho driver mismatch\nexit 18\n")
    assert gpus_here() == ()
    assert "driver mismatch" in caplog.text


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the locks of the GPUs 5 and 6 of this host lie, which a step may use."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(VISIBLE, "5,6")
    return tmp_path / "iterpref" / "gpus"


def test_a_step_sees_its_own_gpu_alone(two_gpus: Path) -> None:
    with gpus_of_step(load_settings(), 1):
        assert os.environ[VISIBLE] == "5"


def test_a_step_that_computes_on_none_holds_none(two_gpus: Path) -> None:
    with gpus_of_step(load_settings(), 0):
        assert os.environ[VISIBLE] == "5,6"
        assert not two_gpus.exists()


def test_workers_in_containers_find_the_locks_on_their_volume(
    two_gpus: Path, tmp_path: Path
) -> None:
    settings = load_settings().model_copy(
        update={"environment": Environment.DOCKER, "root": tmp_path / "volume"}
    )
    with gpus_of_step(settings, 1):
        assert {file.name for file in (tmp_path / "volume" / "gpus").iterdir()} == {TURN, "gpu-5"}


def test_gpus_that_ray_chose_are_not_lent_again(two_gpus: Path) -> None:
    settings = load_settings().model_copy(
        update={"environment": Environment.RAY, "ray": RayConfig(gpus=0.5)}
    )
    with gpus_of_step(settings, 1), gpus_of_step(settings, 1), gpus_of_step(settings, 1):
        assert os.environ[VISIBLE] == "5,6"


@pytest.mark.parametrize(
    ("each", "wanted", "reserved"), [(0, 4, 0), (1, 0, 0), (1, 1, 1), (0.5, 1, 0.5), (1, 4, 4)]
)
def test_ray_reserves_what_a_step_computes_on(each: float, wanted: int, reserved: float) -> None:
    assert RayConfig(gpus=each).reserved_gpus(wanted) == reserved


def test_a_worker_gets_its_gpus_before_torch_is_loaded() -> None:
    """What torch sees of them is settled when it is."""
    script = "import sys, iterpref_assets.workers.__main__; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
