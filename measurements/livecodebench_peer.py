"""LiveCodeBench's own runner on programs given on stdin; run by livecodebench_speed.py.

    python measurements/livecodebench_peer.py RUNNER WORKERS < programs.json > results.json

RUNNER is a clone of LiveCodeBench's repository. Of it `evaluate_generations` judges the programs,
as `codegen_metrics` calls it, in as many processes as WORKERS. Nothing of this project is imported.
"""

from __future__ import annotations

import json
import os
import sys

from spent import spent

TIMEOUT = 6
"""The runner's default, in seconds for each test."""


def main() -> None:
    """Judge, and write seconds and whether each program passed."""
    sys.path.insert(0, sys.argv[1])
    stdout = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from lcb_runner.evaluation.compute_code_generation_metrics import (  # pyright: ignore[reportMissingImports]
        evaluate_generations,
    )

    programs = json.load(sys.stdin)
    before = spent()
    results, _ = evaluate_generations(
        [{"input_output": each["input_output"]} for each in programs],
        [[each["code"]] for each in programs],
        num_process_evaluate=int(sys.argv[2]),
        timeout=TIMEOUT,
    )
    used = spent() - before
    passed = [
        all(bool(each) and each not in (-1, -2, -3, -4, -5) for each in results[number][0])
        for number in range(len(programs))
    ]
    os.write(
        stdout,
        (
            json.dumps({"seconds": used.seconds, "cpu_seconds": used.cpu_seconds, "passed": passed})
            + "\n"
        ).encode(),
    )


if __name__ == "__main__":
    main()
