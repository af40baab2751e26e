from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.debugging.figures import BUDGETS
from iterpref_assets.core.pairs.characteristics import Diversity, Duplicates, Spread
from iterpref_assets.core.pairs.doubt import DOUBTFUL
from iterpref_assets.core.pairs.statistics import UnreachedFocus
from iterpref_assets.core.reporting.data_card import CARD, CardInputs, write_data_card

PAIR = {
    "pair_id": "p#0:0-1", "trajectory_id": "p#0", "problem_id": "p", "prompt": "Do p.",
    "chosen": "x = 1", "rejected": "x = 2", "chosen_round": 1, "rejected_round": 0,
    "chosen_diff_lines": [0], "rejected_diff_lines": [0], "dropped_by": None,
}  # fmt: skip
BUDGET = pl.DataFrame(
    [
        ("debugging", 1, 100, 0.4, 0, None, 0.0),
        ("debugging", 2, 160, 0.5, 10, 16.0, 62.5),
        ("sampling", 1, 100, 0.4, 0, None, 0.0),
        ("sampling", 2, 190, 0.45, 5, 38.0, 26.3),
    ],
    schema=BUDGETS,
    orient="row",
)
SEEDS = pl.DataFrame(
    [("s1", "mine", "prompt_words", "MBPP", "MBPP/3", "ten words")],
    schema=tables.DROPPED_SEEDS,
    orient="row",
)
DIVERSITY = Diversity(problems=4, features={"list": 3, "sum": 1}, combinations=2)
INPUTS = CardInputs(
    stages={"seeds": 5, "trajectories": 4},
    calls=104,
    pass_rate_by_round=[0.4, 0.5],
    budgets=BUDGET,
    kept=10,
    dropped={"empty_focus": 2, "judged_formatting": 1},
    judged={"form": 1, "substance": 9, "no_verdict": 1},
    lengths=[Spread("prompt", pl.Series([3, 4, 5]))],
    differences=[Spread("D-", pl.Series([1, 1, 2]))],
    failures=pl.DataFrame({"failure": ["KeyError"], "rejected": [7], "versions": [9]}),
    problems=DIVERSITY,
    paired=DIVERSITY,
    focus=UnreachedFocus(lines=40, unreached=0),
    doubtful=pl.DataFrame([("p", 6, 5, "add(1, 2) == 4")], schema=DOUBTFUL, orient="row"),
    duplicates=Duplicates(prompts=1, chosen=2, pairs=0),
    dropped_seeds=SEEDS,
    benchmarks=["mbpp"],
    benchmark_tasks=0,
    allowed=[],
    provenance={"preference_pairs/lab": "abc"},
    shown=pl.DataFrame([PAIR], schema=tables.PAIRS),
)


def card(folder: Path, **changes: object) -> str:
    write_data_card(replace(INPUTS, **changes), folder)
    return (folder / CARD).read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The card of INPUTS."""
    path = tmp_path_factory.mktemp("card")
    card(path)
    return path


@pytest.mark.parametrize(
    "line",
    [
        "| trajectories | 4 |",
        "D- lines that no test reaches: 0 of 40 (0.0%).",
        "| p | 6 | 5 | add(1, 2) == 4 |",
        "104 calls for 10 kept pairs: 10.4 calls a pair, 96.2 pairs from 1,000 calls.",
        "| debugging | 2 | 160 | 50.0% | 10 | 16.0 | 62.5 |",
        "| sampling | 1 | 100 | 40.0% | 0 | none yet | 0.0 |",
        "| judged formatting | 1 |",
        "| no_verdict | 1 |",
        "| prompt | 4.0 | 3 | 3 | 4 | 5 | 5 |",
        "| KeyError | 7 | 9 |",
        "| list | 3 | 3 |",
        "| y+ | 2 |",
        "| prompt_words | MBPP | 1 |",
        "of: mbpp.",
        "Kept pairs of benchmarks' own tasks: 0.",
        "-x = 2\n+x = 1",
    ],
)
def test_the_card_says_what_the_pairs_are_like(folder, line: str):
    assert line in (folder / CARD).read_text()


def test_every_figure_that_the_card_names_is_there(folder):
    text = (folder / CARD).read_text()
    figures = {path.name for path in folder.glob("*.png")}
    assert len(figures) == 6
    assert {name for name in figures if f"({name})" in text} == figures


def test_one_sample_a_problem_is_said_to_tell_nothing_of_more(folder, tmp_path):
    assert "sampled once" in card(tmp_path, budgets=BUDGET.head(3))
    assert "sampled once" not in (folder / CARD).read_text()


def test_an_override_is_named(tmp_path):
    text = card(tmp_path, benchmark_tasks=3, allowed=["llmdebugger"])
    assert "own tasks: 3; allowed by override: llmdebugger." in text


def test_equal_inputs_give_equal_files(folder, tmp_path):
    card(tmp_path)
    first, second = (
        {f.name: f.read_bytes() for f in each.iterdir()} for each in (folder, tmp_path)
    )
    assert first == second
