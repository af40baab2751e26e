"""Result tables of an experiment, made up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from iterpref_assets.core.experiment.kinds import token_kinds
from iterpref_assets.core.experiment.results import (
    BENCHMARKS,
    CELLS,
    CURVES,
    ROUNDS,
    SAMPLED,
    SCORES,
    TASKS,
    Results,
)
from iterpref_assets.core.training.recipes import REFERENCE

RATE = 1e-5


def results(solved: Mapping[str, Sequence[str]]) -> Results:
    """Results of arms, each with one string of 0 and 1 a seed: problem by problem, solved or not.

    Every arm was tried at RATE and at ten times that, where it did worse on the validation
    problems.
    """
    cells, scores, curves = [], [], []
    for arm, seeds in solved.items():
        for seed, letters in enumerate(seeds):
            mine = _named(arm, RATE, seed)
            cells.append(_cell(mine, validation=0.5))
            scores += [_score(mine, place, letter == "1") for place, letter in enumerate(letters)]
            if arm != REFERENCE:
                curves += [_point(mine, step) for step in range(1, 21)]
        if arm != REFERENCE:
            cells.append(_cell(_named(arm, 10 * RATE, 0), validation=0.25))
    return Results(
        pl.DataFrame(cells, schema=CELLS),
        pl.DataFrame(scores, schema=SCORES),
        pl.DataFrame(curves, schema=CURVES),
        token_kinds("random", [("x = f(y)", [0]), ("x = 1", [])]),
        pl.DataFrame(_tasks(scores), schema=TASKS),
        rounds({"debugging": {"p": (0, 0.5), "q": (1, 1)}}),
        pl.DataFrame(schema=SAMPLED),
        pl.DataFrame(schema=BENCHMARKS),
    )


def rounds(solved: Mapping[str, Mapping[str, Sequence[float]]]) -> pl.DataFrame:
    """ROUNDS by method and problem: the share solved by one program, by two and so on."""
    rows = [
        (method, problem, calls, float(share))
        for method, problems in solved.items()
        for problem, shares in problems.items()
        for calls, share in enumerate(shares, 1)
    ]
    return pl.DataFrame(rows, schema=ROUNDS, orient="row")


def with_samples(
    made: Results,
    samples: Mapping[str, Sequence[tuple[int, int]]],
    *,
    rate: float = RATE,
    seeds: int = 1,
) -> Results:
    """`made` with four samples of each problem by an arm: how many passed, and differ.

    Its seeds drew the same ones.
    """
    rows = [
        {
            **_named(arm, rate, seed), "problem_id": f"problem-{place}", "samples": 4,
            "passed": passed, "distinct": distinct,
        }
        for arm, counts in samples.items()
        for seed in range(1 if arm == REFERENCE else seeds)
        for place, (passed, distinct) in enumerate(counts)
    ]  # fmt: skip
    return replace(made, sampled=made.sampled.vstack(pl.DataFrame(rows, schema=SAMPLED)))


def with_benchmark(
    made: Results, name: str, solved: Mapping[str, Sequence[str]], *, rate: float = RATE
) -> Results:
    """`made` with a benchmark's scores of arms, each with one string of letters a seed.

    A letter is a task: 0 failed, 1 passed the base tests alone, 2 passed the plus tests too.
    """
    rows = [
        {
            **_named(arm, rate, seed), "benchmark": name, "problem_id": f"{name}/{place}",
            "passed": letter != "0", "passed_plus": letter == "2",
        }
        for arm, seeds in solved.items()
        for seed, letters in enumerate(seeds)
        for place, letter in enumerate(letters)
    ]  # fmt: skip
    return replace(made, benchmarks=made.benchmarks.vstack(pl.DataFrame(rows, schema=BENCHMARKS)))


def _tasks(scores: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Problems with an even number are of one kind, the others of another."""
    names = sorted({str(score["problem_id"]) for score in scores})
    kinds = ("even", "odd")
    return [
        {"problem_id": name, "features": ["numbers", kinds[int(name[-1]) % 2], "rest"]}
        for name in names
    ]


def _named(arm: str, rate: float, seed: int) -> dict[str, object]:
    if arm == REFERENCE:
        return {"arm": arm, "rate": None, "seed": None}
    return {"arm": arm, "rate": rate, "seed": seed}


def _cell(named: dict[str, object], *, validation: float) -> dict[str, object]:
    trained = named["rate"] is not None
    return {
        **named,
        "recipe": named["arm"],
        "pairs": "random" if trained else None,
        "pair_count": 7 if trained else None,
        "focal_share": 0.25 if trained else None,
        "steps": 20 if trained else None,
        "validation": validation,
        "config": "{}",
        "content_hash": "0",
        "commit": "abc",
        "date": "2026-01-01",
        "machine": "none",
    }


def _score(named: dict[str, object], place: int, passed: bool) -> dict[str, object]:
    verdict, error = ("passed", "") if passed else ("raised", "KeyError")
    problem = f"problem-{place}"
    return {
        **named, "problem_id": problem, "passed": passed, "verdict": verdict, "error_type": error,
        "passed_stronger": None,
    }  # fmt: skip


def _point(named: dict[str, object], step: int) -> dict[str, object]:
    return {**named, "step": step, "name": "chosen_logprob", "value": -1.0 / step}
