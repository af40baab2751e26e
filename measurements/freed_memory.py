"""What giving freed memory back to the system costs a training on the CPU.

    python measurements/freed_memory.py

The model and the pairs of plan_memory.py, 12 steps of 8 pairs in float32, by turns in processes of
their own; printed are the CPU seconds of each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import plan_memory
from sandbox_samples import machine

from iterpref_assets.core.training import trainer

ROUNDS = 3


def train_here(returned: bool) -> float:
    """CPU seconds of one training in this process."""
    plan_memory.BATCH, plan_memory.STEPS = 8, 12
    trainer.is_tight = lambda _model: returned
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan_memory.prepare(folder, plan_memory.SHAPES[plan_memory.SMALL])
        before = os.times()
        plan_memory.train_once(folder, plan_memory.Case(), plan_memory.STEPS)
        after = os.times()
    return after.user + after.system - before.user - before.system


def main() -> None:
    """Print the seconds of each round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", choices=["kept", "returned"], help="for one run")
    given = parser.parse_args()
    if given.one:
        print(train_here(given.one == "returned"))
        return
    print(machine())
    for _ in range(ROUNDS):
        for how in ("kept", "returned"):
            command = [sys.executable, __file__, "--one", how]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            print(f"{how:<9}{float(done.stdout.splitlines()[-1]):7.1f} s of CPU", flush=True)


if __name__ == "__main__":
    main()
