"""Seed files and recorded completions: a whole CodeFlow without a model, in seconds."""

import json
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.sampling import completion_key

SHARDS, PROBLEMS, ROUNDS = 3, 8, 5
NEVER = ROUNDS + 1
HELDOUT, SAMPLES = 101, 2
SOLVED_IN = (0, 1, 0, 2, 1, 3, 0, NEVER)
"""The round in which each problem of a shard is solved."""

PROGRAM = """def keep(values):
    total = {start}
    for value in values:
        if value % {divisor} {comparison} 0:
            total {operator} value
    return total
"""
RIGHT = {"start": "0", "comparison": "==", "operator": "+="}
WRONG = ({"comparison": "!="}, {"start": "1"}, {"operator": "-="}, {"comparison": ">"})


def write_deployment(folder: Path) -> dict[str, str]:
    """Write seeds and completions below `folder`; the settings that lead to them."""
    seeds = folder / "seeds"
    seeds.mkdir()
    rows = []
    for shard in range(SHARDS):
        lines = []
        for number in range(PROBLEMS):
            divisor = 2 + shard * PROBLEMS + number
            lines.append(_problem(divisor, "train"))
            rows += _completions(divisor, SOLVED_IN[number])
        (seeds / f"shard-{shard}.jsonl").write_text("".join(lines))
    heldout = folder / "heldout.jsonl"
    heldout.write_text(_problem(HELDOUT, "heldout"))
    rows += [_completion(HELDOUT, 0, sample, solved_in=0) for sample in range(SAMPLES)]
    completions = folder / "completions.parquet"
    tables.write_table(pl.DataFrame(rows, tables.COMPLETIONS), tables.COMPLETIONS, completions)
    source = {"kind": "files", "folder": str(seeds), "heldout": str(heldout)}
    engine = json.dumps({"kind": "replay", "completions": [str(completions)]})
    return {
        "ITERPREF_SEEDS": json.dumps(source),
        "ITERPREF_ENGINE": engine,
        "ITERPREF_EVALUATION_ENGINE": engine,
        "ITERPREF_SAMPLED_EVALUATION__SAMPLES": str(SAMPLES),
    }


def _name(divisor: int) -> str:
    return f"multiples-of-{divisor}"


def _problem(divisor: int, split: str) -> str:
    values = [divisor, divisor + 1, 2 * divisor, 3]
    kept = [value for value in values if value % divisor == 0]
    problem = {
        "problem_id": _name(divisor),
        "source": "recorded",
        "split": split,
        "prompt": f"Return the sum of those of the values that {divisor} divides.",
        "entry_point": "keep",
        "reference": PROGRAM.format(divisor=divisor, **RIGHT),
        "tests": {
            "kind": "function",
            "entry_point": "keep",
            "cases": [
                {"arguments": f"({values},)", "expected": str(sum(kept))},
                {"arguments": "([],)", "expected": "0"},
            ],
        },
    }
    return json.dumps(problem) + "\n"


def _completions(divisor: int, solved_in: int) -> list[dict]:
    rounds = range(min(solved_in, ROUNDS) + 1)
    return [_completion(divisor, round_, 0, solved_in) for round_ in rounds]


def _completion(divisor: int, round_: int, sample: int, solved_in: int) -> dict:
    return {
        "key": completion_key(_name(divisor), round_, sample),
        "problem_id": _name(divisor),
        "sample": sample,
        "round": round_,
        "completion": _answer(divisor, round_, solved_in),
        "prompt_tokens": 40,
        "completion_tokens": 60,
        "finish_reason": "stop",
        "seed": 0,
        "engine": "by hand",
    }


def _answer(divisor: int, round_: int, solved_in: int) -> str:
    changed = {} if round_ == solved_in else WRONG[round_ % len(WRONG)]
    return f"```python\n{PROGRAM.format(divisor=divisor, **{**RIGHT, **changed})}```"
