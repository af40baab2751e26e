"""`python -m iterpref_assets.commands.lab_model`: train the lab's base model anew.

Or a weaker or stronger one: examples/experiment/lab-weak.toml and lab-strong.toml compare recipes
on these.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from iterpref_assets.core.lab.building import build_lab_model
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.pretraining import PretrainConfig


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse `arguments`, or the command line, and build the model."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger("iterpref").setLevel(logging.INFO)
    shipped = PretrainConfig()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to replace")
    parser.add_argument("--seed", type=int, default=shipped.seed)
    parser.add_argument(
        "--steps", type=int, default=shipped.steps, help="its strength (default: %(default)s)"
    )
    asked = parser.parse_args(arguments)
    # A weaker model is the beginning of the shipped one's training. A stronger one learns on at a
    # rate that reaches zero later.
    decay = max(shipped.decay_steps, asked.steps)
    config = PretrainConfig(seed=asked.seed, steps=asked.steps, decay_steps=decay)
    provenance = build_lab_model(config, LabConfig(), asked.out)
    sys.stdout.write(
        f"{provenance.parameters:,} parameters, {provenance.cpu_seconds:.0f} CPU-seconds, held-out "
        f"pass@1 {provenance.heldout_pass_at_1:.1%} of {provenance.heldout.heldout_problems}\n"
    )


if __name__ == "__main__":
    main()
