"""The part of the page on benchmarks: who wins there, and what becomes of the claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.experiment.claims import CLAIMS, Claim, Outcome, outcome
from iterpref_assets.core.experiment.comparing import (
    Comparison,
    compare_all,
    number_of_tests,
    pass_rate,
)
from iterpref_assets.core.experiment.figures import Figures, sets_plot
from iterpref_assets.core.experiment.outcomes import compared_cells, compared_head, won_and_lost
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.experiment.wording import points
from iterpref_assets.core.reporting.markdown import table
from iterpref_assets.core.training.recipes import REFERENCE

TITLES = {"humaneval": "HumanEval", "mbpp": "MBPP"}
HELD_OUT = "held-out problems"
TOGETHER = "all tasks together"

Comparisons = Mapping[tuple[str, str], Comparison]


@dataclass(frozen=True)
class TaskSet:
    """One set of problems with one kind of tests, and how the arms did on it.

    Attributes:
        title: what the page calls it.
        tests: which tests had to pass, where the title does not say so.
        results: with its scores.
        rates: pass@1 by arm.
        compared: the comparisons, corrected for their number in this set.
        strict: whether all the tests that there are had to pass: claims are told of such sets.
    """

    title: str
    tests: str
    results: Results
    rates: Mapping[str, Interval]
    compared: Comparisons
    strict: bool = True


def held_out_set(results: Results, arms: Sequence[str], compared: Comparisons) -> TaskSet:
    """The problems that are held out, with comparisons made before."""
    rates = {arm: pass_rate(results, arm) for arm in arms}
    return TaskSet(HELD_OUT, "", results, rates, compared)


def benchmark_sets(
    results: Results, arms: Sequence[str], wanted: Sequence[tuple[str, str]]
) -> list[TaskSet]:
    """Every benchmark with results, by base tests and by plus tests, and all tasks together.

    Args:
        results: of the held-out problems, and of the benchmarks.
        arms: in the order of the page.
        wanted: comparisons of (arm, baseline).
    """
    sets: list[TaskSet] = []
    for name in results.benchmark_names:
        title = TITLES.get(name, name)
        base, plus = (results.of_benchmark(name, plus=each) for each in (False, True))
        sets.append(scored_set(title, ", base tests", base, arms, wanted, strict=False))
        sets.append(scored_set(f"{title}+", ", base and plus tests", plus, arms, wanted))
    if sets:
        sets.append(scored_set(TOGETHER, "", results.of_all_tasks(), arms, wanted))
    return [each for each in sets if each.rates]


def scored_set(
    title: str,
    tests: str,
    scored: Results,
    arms: Sequence[str],
    wanted: Sequence[tuple[str, str]],
    *,
    strict: bool = True,
) -> TaskSet:
    """The arms that `scored` has, and those of the comparisons `wanted` that can be made of them.

    Args:
        title: as in TaskSet.
        tests: likewise.
        scored: results whose scores are of the set's problems.
        arms: in the order of the page.
        wanted: comparisons of (arm, baseline).
        strict: as in TaskSet.
    """
    there = set(scored.arms)
    rates = {arm: pass_rate(scored, arm) for arm in arms if arm in there}
    return TaskSet(title, tests, scored, rates, compare_all(scored, wanted), strict)


def benchmarks_text(sets: Sequence[TaskSet], drawn: Sequence[str], images: Path) -> list[str]:
    """Each arm's pass rate on every set, how far it is from the baselines, and the figures."""
    if not sets:
        return []
    note = (
        "Greedy pass@1, one program a task, of the models that the table of arms is about, at the "
        "same rates. Tasks that are validation problems too are left out. All tasks together are "
        "the held-out problems and every benchmark's tasks with plus tests as one set, in which "
        "each task counts the same; a held-out problem that is a benchmark's task too counts as "
        "that one alone. Intervals and tests as above; p is corrected by Holm for the comparisons "
        "of its own table.\n"
    )
    return [
        "### Benchmarks\n",
        note,
        *(_set_text(each) for each in sets),
        *(f"![{name}]({images / name})\n" for name in drawn),
    ]


def _set_text(tasks: TaskSet) -> str:
    rows = [
        [
            arm,
            *compared_cells(tasks.results, arm, rate, tasks.compared),
            won_and_lost(tasks.compared.get((arm, REFERENCE))),
        ]
        for arm, rate in tasks.rates.items()
    ]
    count = len(tasks.results.problems)
    title = f"{tasks.title[0].upper()}{tasks.title[1:]}{tasks.tests}: {count} tasks"
    head = ["arm", *compared_head("pass@1 (%)"), "tasks won / lost"]
    return f"{title}, comparisons: {number_of_tests(tasks.compared)}\n\n{table(head, rows)}"


def claims_by_set_text(held_out: TaskSet, sets: Sequence[TaskSet]) -> list[str]:
    """What becomes of each claim on held-out problems, on benchmarks and on all tasks."""
    asked = [each for each in sets if each.strict]
    if not asked:
        return []
    note = (
        "Outcomes by the rule above, and the difference in points. p is corrected within a "
        "column. The columns are no independent tests of a claim: the models are the same, and the "
        "last column holds the tasks of the others.\n"
    )
    return ["### Claims by set of problems\n", f"{claims_table([held_out, *asked])}\n{note}"]


def claims_table(columns: Sequence[TaskSet]) -> str:
    """What becomes of each claim on every set that some comparison of its arms was made on."""
    rows = [
        [claim.text, *(_outcome(claim, each.compared) for each in columns)]
        for claim in CLAIMS
        if any((claim.arm, claim.baseline) in each.compared for each in columns)
    ]
    return table(["claim", *(each.title for each in columns)], rows)


def _outcome(claim: Claim, compared: Comparisons) -> str:
    found = outcome(claim, compared)
    if found is Outcome.UNTESTED:
        return found.value
    return f"{found.value}: {points(compared[claim.arm, claim.baseline])}"


def benchmark_images(held_out: TaskSet, sets: Sequence[TaskSet]) -> Figures:
    """pass@1 by arm and set, and how far arms are from the reference; nothing without sets."""
    if not sets:
        return {}
    shown = [held_out, *(each for each in sets if each.strict)]
    rates = {each.title: each.rates for each in shown}
    gains = {each.title: gains_of(each) for each in shown}
    arms = list(held_out.rates)
    trained = [arm for arm in arms if arm != REFERENCE]
    return {
        "benchmark-rates.png": partial(sets_plot, rates, arms, "pass@1 by arm", "Tasks solved (%)"),
        "benchmark-gains.png": partial(
            sets_plot, gains, trained, "pass@1 minus the reference's", "Points"
        ),
    }


def gains_of(tasks: TaskSet) -> dict[str, Interval]:
    """Each arm's pass@1 minus the reference's."""
    return {
        arm: found.difference
        for (arm, baseline), found in tasks.compared.items()
        if baseline == REFERENCE
    }
