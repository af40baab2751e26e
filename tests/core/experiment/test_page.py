"""The page of recorded results."""

from dataclasses import replace
from pathlib import Path

import pytest
from experiment_examples import results

from iterpref_assets.core.experiment.page import make_page, write_page

MADE = results({"reference": ["0" * 20], "sft": ["1" * 20, "1" * 20], "dpo": ["0" * 20, "0" * 20]})


@pytest.fixture(scope="module")
def page():
    return make_page(MADE, title="Lab", discussion="Why.\n", images=Path("images"))


def test_arms_stand_with_rate_seeds_and_pass_rate(page):
    assert "| sft | 1e-05 | 2 | 100.0 [100.0, 100.0] |" in page.text


def test_pair_sets_stand_with_their_focal_share(page):
    assert "random, 7 pairs, 25.0% of the tokens of y- in D-" in page.text


def test_reference_stands_first(page):
    arms = page.text.split("### Arms")[1].split("### Claims")[0]
    assert arms.index("| reference |") < arms.index("| sft |")


def test_arms_that_change_one_thing_stand_beside_their_recipe():
    made = results({"reference": ["00"], "focal_dpo": ["00"], "focal_dpo-last": ["11"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    assert "| focal_dpo-last | focal_dpo | +100.0 [" in text


@pytest.mark.parametrize("arm", ["focal_dpo-last", "an-arm-that-was"])
def test_arms_beside_no_recipe_of_the_page_are_shown(arm):
    made = results({"reference": ["00"], arm: ["11"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    assert f"| {arm} | 1e-05 | 1 | 100.0" in text
    assert "### One thing changed" not in text


def test_the_reference_alone_makes_a_page():
    made = results({"reference": ["01"]})
    page = make_page(made, title="Lab", discussion="", images=Path("images"))
    assert "| reference | - | 1 | 50.0" in page.text
    assert "chosen-logprob.png" not in page.images


def test_results_without_curves_make_a_page():
    made = replace(MADE, curves=MADE.curves.clear())
    page = make_page(made, title="Lab", discussion="", images=Path("images"))
    assert set(page.images) == {"pass-rates.png", "learning-rates.png"}


def test_claims_stand_with_their_outcome(page):
    row = next(line for line in page.text.splitlines() if line.startswith("| plain DPO falls"))
    assert row.endswith("| not reproduced |")


def test_claims_that_were_not_run_are_told(page):
    row = next(line for line in page.text.splitlines() if line.startswith("| plain RPO falls"))
    assert row.endswith("| - | not run |")


def test_chosen_rate_is_bold_beside_the_others(page):
    assert "| sft | **50.0** | 25.0 |" in page.text


def test_curves_stand_from_first_to_last_steps(page):
    # the first two of twenty steps and the last two
    first, last = -(1 + 1 / 2) / 2, -(1 / 19 + 1 / 20) / 2
    assert f"| sft | {first:.3f} to {last:.3f} | - | - |" in page.text


def test_kinds_of_tokens_stand_in_shares(page):
    # of D-: x, f and y beside =, ( and ); of the other lines: x, = and 1
    assert "| random | name | 50.0 | 33.3 |" in page.text


def test_errors_are_counted_by_model(page):
    assert "| KeyError | 20.0 | 0.0 | 20.0 |" in page.text


def test_every_figure_of_the_page_is_drawn_and_linked(page):
    assert all(f"(images/{name})" in page.text for name in page.images)
    assert all(png.startswith(b"\x89PNG") for png in page.images.values())


def test_equal_results_give_an_equal_page(page):
    assert page == make_page(MADE, title="Lab", discussion="Why.\n", images=Path("images"))


def test_page_is_written_with_its_figures_and_the_discussion(tmp_path):
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "discussion.md").write_text("Because.\n", encoding="utf-8")
    write_page(MADE, folder, tmp_path / "EXPERIMENT.md")
    text = (tmp_path / "EXPERIMENT.md").read_text(encoding="utf-8")
    assert text.endswith("Because.\n")
    assert (tmp_path / "images" / "experiment" / "lab" / "pass-rates.png").is_file()
