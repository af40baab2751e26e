"""What training frees goes back to the system; each case in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from training_examples import random_pairs

from iterpref_assets.core.training import host_memory, trainer
from iterpref_assets.core.training.config import Precision, TrainConfig
from iterpref_assets.core.training.recipes import recipe_named

MEBIBYTE = 2**20
PROGRAM = """
import sys
from pathlib import Path

import torch
from iterpref_assets.core.training.host_memory import return_freed_memory

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

if sys.argv[1] == "returned":
    return_freed_memory()
raised = torch.ones(6 << 20)  # glibc keeps blocks of up to 24 MiB once one was freed
del raised
before = resident()
large, small = [], []
for _ in range(100):
    large.append(torch.ones(1 << 19))
    small.append(torch.ones(256))
del large
print(resident() - before)
"""


def kept(how: str) -> int:
    """Bytes that a process still holds after it freed 200 MiB in blocks with small ones between."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], stdout=subprocess.PIPE, check=True, timeout=300
    )
    return int(done.stdout)


def test_freed_blocks_go_back_to_the_system() -> None:
    assert kept("returned") < 20 * MEBIBYTE


def test_without_it_they_are_kept() -> None:
    assert kept("kept") > 180 * MEBIBYTE


@pytest.mark.parametrize(("share", "asked"), [(0.0, [True]), (0.99, [])])
def test_training_asks_for_it_where_memory_is_tight(
    model_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    asked: list[bool],
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(host_memory, "TIGHT", share)
    monkeypatch.setattr(trainer, "return_freed_memory", lambda: calls.append(True))
    trainer.train(
        random_pairs(2, seed=0), None, model_dir, recipe_named("sft"),
        TrainConfig(batch_size=2, epochs=1, precision=Precision.FLOAT32),
        tmp_path / "out", tmp_path / "work", on_metrics=lambda point: None,
    )  # fmt: skip
    assert calls == asked
