"""The long form: `python -m faults WORK REPORT`, with tests/helpers on PYTHONPATH."""

import argparse
import os
from pathlib import Path

from faults.plan import TINY, planned

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="where deployments are made and broken")
    parser.add_argument(
        "report", type=Path, nargs="?",
        help="JSON lines; what it tells is not repeated. Without it, injections come from stdin",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, default=600, help="begin no injection after that")
    parser.add_argument("--rounds", type=int, default=3, help="times of each stage, form and fault")
    parser.add_argument(
        "--slow-rounds", type=int, default=1, help="the same, of what loads a model"
    )
    parser.add_argument("--kills", type=int, default=10, help="the same, of each kill")
    given = parser.parse_args()
    os.environ |= {f"ITERPREF_{name}": value for name, value in TINY.items()}
    # Threads of a busy machine wait for one another, and a kill would meet that.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from faults.campaign import run, serve

    if given.report is None:
        serve(given.work)
    else:
        injections = planned(given.rounds, given.slow_rounds, given.kills)
        run(given.work, given.report, injections, 60 * given.minutes)
