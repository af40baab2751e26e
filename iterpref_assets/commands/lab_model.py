"""`python -m iterpref_assets.commands.lab_model`: train the lab's base model anew."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from iterpref_assets.core.lab.building import build_lab_model
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.pretraining import PretrainConfig


def main() -> None:
    """Parse the command line and build the model."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger("iterpref").setLevel(logging.INFO)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to replace")
    parser.add_argument("--seed", type=int, default=PretrainConfig().seed)
    parser.add_argument("--steps", type=int, default=PretrainConfig().steps)
    arguments = parser.parse_args()
    config = PretrainConfig(seed=arguments.seed, steps=arguments.steps)
    provenance = build_lab_model(config, LabConfig(), arguments.out)
    sys.stdout.write(
        f"{provenance.parameters:,} parameters, {provenance.cpu_seconds:.0f} CPU-seconds, held-out "
        f"pass@1 {provenance.heldout_pass_at_1:.1%} of {provenance.heldout.heldout_problems}\n"
    )


if __name__ == "__main__":
    main()
