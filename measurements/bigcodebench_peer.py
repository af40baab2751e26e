"""BigCodeBench's own harness on programs given on stdin; run by bigcodebench_speed.py.

    python measurements/bigcodebench_peer.py HARNESS WORKERS < programs.json > statuses.json

HARNESS is a folder that holds the package `bigcodebench`. Of it `eval.untrusted_check` judges each
program, called as `bigcodebench.evaluate` calls it, in as many processes as WORKERS.
Nothing of this project is imported: it runs with the harness's libraries in place of its own.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor

from spent import spent

MAX_AS, MAX_DATA, MAX_STACK, MIN_TIME, REFERENCE_TIME = 30 * 1024, 30 * 1024, 10, 1, 20
"""The defaults of `bigcodebench.evaluate --no_gt`."""


def main() -> None:
    """Judge, and write seconds and statuses."""
    sys.path.insert(0, sys.argv[1])
    from bigcodebench.eval import untrusted_check  # pyright: ignore[reportMissingImports]

    programs = json.load(sys.stdin)
    before = spent()
    with ProcessPoolExecutor(int(sys.argv[2])) as pool:
        futures = [
            pool.submit(
                untrusted_check,
                each["code"],
                each["test"],
                each["entry_point"],
                MAX_AS,
                MAX_DATA,
                MAX_STACK,
                MIN_TIME,
                REFERENCE_TIME,
            )
            for each in programs
        ]
        statuses = [future.result()[0] for future in futures]
    used = spent() - before
    print(
        json.dumps({"seconds": used.seconds, "cpu_seconds": used.cpu_seconds, "statuses": statuses})
    )


if __name__ == "__main__":
    main()
