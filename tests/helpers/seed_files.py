"""Seed files of one problem each."""

import json

SHARDS = ("s0", "s1", "s2", "s3", "s4", "s5")


def problem(name: str, **changes: str) -> str:
    """One line of a seed file."""
    values = {
        "problem_id": name, "source": "mine", "prompt": f"Add one to x, says {name}.",
        "entry_point": "f", "reference": f"def f(x):\n    return x + 1  # {name}",
        "tests": {
            "kind": "function", "entry_point": "f",
            "cases": [{"arguments": "(1,)", "expected": "2"}],
        },
    }  # fmt: skip
    return json.dumps(values | changes) + "\n"
