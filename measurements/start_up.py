"""How long `iterpref evaluate` takes for one sample, which is nearly all start-up.

    python measurements/start_up.py --data HumanEvalPlus.jsonl.gz [--repeats 5]

Expected outputs and what was loaded of the benchmark are cached by a first run that does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox_samples import machine

from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, load_evalplus
from iterpref_assets.core.evaluation.sample_scoring import RESULTS


def main() -> None:
    """Run the command some times and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(machine(), flush=True)
    work = Path(tempfile.mkdtemp(prefix="start-up-"))
    name, problem = next(
        iter(load_evalplus(EvalPlusBenchmark.HUMANEVAL, options.data).problems.items())
    )
    samples = work / "samples.jsonl"
    samples.write_text(json.dumps({"task_id": name, "solution": problem.reference}) + "\n")
    _seconds(options.data, samples, work / "first")
    seconds = [
        _seconds(options.data, samples, work / f"{number}") for number in range(options.repeats)
    ]
    print(
        f"one sample of {name}: {statistics.median(seconds):.2f} s (median of {options.repeats}; "
        f"shortest {min(seconds):.2f}, longest {max(seconds):.2f})"
    )


def _seconds(data: Path, samples: Path, out: Path) -> float:
    command = [str(Path(sys.executable).with_name("iterpref")), "evaluate", "--data", str(data)]
    command += ["--benchmark", "humaneval", "--samples", str(samples), "--out", str(out)]
    started = time.monotonic()
    subprocess.run(
        command,
        env=os.environ | {"XDG_CACHE_HOME": str(samples.parent)},
        check=True,
        capture_output=True,
    )
    seconds = time.monotonic() - started
    (result,) = (out / RESULTS).read_text().splitlines()
    if json.loads(result)["verdict"] != "passed":
        sys.exit(f"the reference does not pass: {result}")
    return seconds


if __name__ == "__main__":
    main()
