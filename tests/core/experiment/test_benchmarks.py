"""What the page says of benchmarks."""

from pathlib import Path

import pytest
from experiment_examples import RATE, results, with_benchmark

from iterpref_assets.core.experiment.page import Page, make_page
from iterpref_assets.core.experiment.results import Results


def page_of(made: Results) -> Page:
    return make_page(made, title="Lab", discussion="", images=Path("images"))


def scored() -> Results:
    """Two held-out problems, four tasks of HumanEval+, one of MBPP+."""
    made = results({"reference": ["01"], "sft": ["01", "01"], "dpo": ["01", "00"]})
    made = with_benchmark(
        made, "humaneval",
        {"reference": ["0012"], "sft": ["1222", "0222"], "dpo": ["0012", "0012"]},
    )  # fmt: skip
    return with_benchmark(made, "mbpp", {"reference": ["0"], "sft": ["2", "2"]})


@pytest.fixture(scope="module")
def page() -> Page:
    return page_of(scored())


def part(page: Page, start: str, end: str) -> str:
    return page.text.split(start)[1].split(end)[0]


def cells(text: str, first: str) -> list[str]:
    """The cells of the table's line that starts with `first`."""
    line = next(each for each in text.splitlines() if each.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_arms_stand_with_their_pass_rate_of_base_tests(page):
    text = part(page, "HumanEval, base tests: 4 tasks", "HumanEval+")
    # sft: 4 and 3 of 4, the reference 2 of 4
    assert cells(text, "reference")[2].startswith("50.0 [")
    assert cells(text, "sft")[1] == "2"
    assert cells(text, "sft")[2].startswith("87.5 [")
    assert cells(text, "sft")[3].startswith("+37.5 [")
    assert cells(text, "sft")[-1] == "2 / 0"


def test_arms_stand_with_their_pass_rate_of_plus_tests(page):
    text = part(page, "HumanEval+, base and plus tests: 4 tasks", "MBPP, base")
    # sft: 3 of 4 with either seed, the reference 1 of 4
    assert cells(text, "sft")[2].startswith("75.0 [")
    assert cells(text, "sft")[3].startswith("+50.0 [")
    assert cells(text, "sft")[4].startswith("+50.0 [")  # minus dpo
    assert cells(text, "reference")[3:] == ["-", "-", "-", "-"]


def test_arms_that_a_benchmark_was_not_asked_of_are_left_out_of_its_table(page):
    text = part(page, "MBPP+, base and plus tests: 1 task", "All tasks together")
    assert "| sft |" in text
    assert "| dpo |" not in text


def test_all_tasks_together_are_one_set_of_problems(page):
    text = part(page, "All tasks together: 7 tasks", "### ")
    # sft: 1 of 2, 3 of 4 and 1 of 1 with either seed; the reference 1, 1 and 0
    assert cells(text, "sft")[2].startswith(f"{100 * 5 / 7:.1f} [")
    assert cells(text, "sft")[3].startswith(f"+{100 * 3 / 7:.1f} [")


def test_p_values_are_corrected_for_the_comparisons_of_their_own_table():
    made = results({"reference": ["0"], "sft": ["0"], "dpo": ["0"]})
    solved = {"reference": ["00000"], "sft": ["22222"], "dpo": ["00000"]}
    text = page_of(with_benchmark(made, "mbpp", solved)).text
    mine = text.split("MBPP+, base and plus tests: 5 tasks, comparisons: 3")[1]
    # McNemar's 2 / 2^5, of three comparisons two equally small
    assert cells(mine, "sft")[3].endswith(f"p {3 * 2 / 2**5:.3g}")


def test_claims_stand_with_their_outcome_on_every_set(page):
    text = part(page, "### Claims by set of problems", "### ")
    head = cells(text, "claim")
    assert head == [
        *("claim", "held-out problems", "HumanEval+", "MBPP+", "all tasks together"),
    ]
    # dpo on held-out problems: half a problem of two lost; it was not asked MBPP+
    row = cells(text, "plain DPO does not rise above the reference")
    assert row[1].startswith("undecided: -25.0 [")
    assert row[2] == "undecided: +0.0 [+0.0, +0.0] p 1"
    assert row[3:] == ["not run", "not run"]


def test_claims_that_no_set_tells_of_are_left_out(page):
    assert "plain RPO" not in part(page, "### Claims by set of problems", "### ")


def test_rates_are_those_of_held_out_problems():
    made = results({"reference": ["0"], "sft": ["1"]})
    made = with_benchmark(made, "mbpp", {"reference": ["0"], "sft": ["2"]})
    worse = with_benchmark(made, "mbpp", {"sft": ["0"]}, rate=10 * RATE)
    assert page_of(worse).text == page_of(made).text


def test_benchmarks_are_drawn_by_arm_and_linked(page):
    for name in ("benchmark-rates.png", "benchmark-gains.png"):
        assert page.images[name]().startswith(b"\x89PNG")
        assert f"(images/{name})" in page.text


def test_nothing_is_told_of_benchmarks_that_were_not_asked():
    made = page_of(results({"reference": ["01"], "sft": ["11"]}))
    assert "### Benchmarks" not in made.text
    assert "### Claims by set" not in made.text
    assert "benchmark-rates.png" not in made.images
