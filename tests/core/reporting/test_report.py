import re
from dataclasses import replace
from pathlib import Path

import polars as pl

from iterpref_assets.core.evaluation.bootstrap import Interval
from iterpref_assets.core.reporting.plots import PlottedScore
from iterpref_assets.core.reporting.report import (
    BenchmarkScores,
    ReportInputs,
    summary_lines,
    write_report,
)
from iterpref_assets.core.tables import LEADERBOARD

REFERENCE = PlottedScore("reference", Interval(estimate=0.432, low=0.4, high=0.465), 600)
FOCAL = PlottedScore("focal_rpo", Interval(estimate=0.457, low=0.42, high=0.49), 600)
INPUTS = ReportInputs(
    problems={"train": 1500, "held-out": 600},
    samples=2400,
    programs_run=4321,
    pass_rate_by_round=[0.18, 0.32],
    kept=767,
    dropped={"empty_focus": 33, "equal_ast": 0},
    focal_share=0.234,
    curves={"focal_rpo": [{"step": 1, "loss": 0.7, "reward_margin": 0.1}]},
    benchmarks=[
        BenchmarkScores(
            "Held-out, greedy",
            [REFERENCE, FOCAL],
            {"focal_rpo": {5: 0.7}},
        )
    ],
    provenance={"base model": "abc"},
    example_pairs=["```diff\n-x\n+y\n```"],
)


def test_the_summary_says_what_the_run_came_to():
    assert summary_lines(INPUTS) == [
        "problems            1,500 train, 600 held-out",
        "samples             2,400",
        "programs run        4,321 (samples and debugging rounds)",
        "solved by round, %  18.0 32.0",
        "pairs kept          767 of 800",
        "focal share of y-   23.4%",
        "reference           43.2% [40.0, 46.5]  Held-out, greedy",
        "focal_rpo           45.7% [42.0, 49.0]  Held-out, greedy",
    ]


def test_every_figure_that_is_named_exists_and_no_other(tmp_path: Path):
    text = write_report(INPUTS, tmp_path).read_text()
    named = set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", text))
    assert named == {path.name for path in tmp_path.glob("*.png")}
    assert named == {
        "pass_rate_by_round.png",
        "pairs_by_filter.png",
        "loss.png",
        "reward_margin.png",
        "scores_0.png",
    }


def test_the_tables_hold_the_figures(tmp_path: Path):
    text = write_report(INPUTS, tmp_path).read_text()
    assert "| 1 | 32.0% |" in text
    assert "| dropped: empty focus | 33 |" in text
    assert "| Variant | pass@1 | pass@5 | Problems |" in text
    assert "| reference | 43.2% [40.0, 46.5] | not measured | 600 |" in text
    assert "| focal_rpo | 45.7% [42.0, 49.0] | 70.0% | 600 |" in text


def test_equal_inputs_give_equal_files(tmp_path: Path):
    for folder in ("first", "second"):
        write_report(INPUTS, tmp_path / folder)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
        for folder in ("first", "second")
    )
    assert first == second


def test_benchmarks_have_their_leaderboard_in_the_report_and_the_summary(tmp_path: Path):
    row = ("HE", "reference", 164, 0.616, 0.54, 0.69, None, None, None)
    board = pl.DataFrame([row], schema=LEADERBOARD, orient="row")
    inputs = replace(INPUTS, leaderboard=board)
    assert (
        "| reference | 61.6 (54.0 to 69.0) | 61.6 |" in write_report(inputs, tmp_path).read_text()
    )
    assert (tmp_path / "leaderboard.png").is_file()
    assert summary_lines(inputs)[-1] == "reference           HE 61.6"
