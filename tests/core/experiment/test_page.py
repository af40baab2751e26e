"""The page of recorded results."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from experiment_examples import RATE, results, rounds, with_samples

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.experiment.outcomes import AGAINST_FOCAL
from iterpref_assets.core.experiment.page import make_page, write_page
from iterpref_assets.core.experiment.preface import HEAD
from iterpref_assets.core.experiment.reasons import common_rate
from iterpref_assets.core.experiment.results import write_results

MADE = results({"reference": ["0" * 20], "sft": ["1" * 20, "1" * 20], "dpo": ["0" * 20, "0" * 20]})


@pytest.fixture(scope="module")
def page():
    return make_page(MADE, title="Lab", discussion="Why.\n", images=Path("images"))


def test_arms_stand_with_rate_pairs_steps_seeds_and_pass_rate(page):
    assert "| arm | rate | pairs | steps | seeds |" in page.text
    assert "| sft | 1e-05 | 7 | 20 | 2 | 100.0 [100.0, 100.0] |" in page.text


def test_the_papers_benchmark_is_named_below_the_figure_of_gains(page):
    figure = page.text.index("gains.png")
    assert "BigCodeBench-Hard Complete" in page.text[figure : figure + 200]


def test_pair_sets_stand_with_their_focal_share(page):
    assert "random, 7 pairs, 25.0% of the tokens of y- in D-" in page.text


def test_reference_stands_first(page):
    arms = page.text.split("### Arms")[1].split("### Claims")[0]
    assert arms.index("| reference |") < arms.index("| sft |")


def test_arms_that_change_one_thing_stand_beside_the_arm_without_it():
    by_sums = {"focal_rpo": ["00"], "focal_rpo-by_sums": ["11"], "focal_rpo-by_sums-beta2": ["00"]}
    made = results({"reference": ["00"], **by_sums})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    table = text.split("### One thing changed")[1].split("###")[0]
    assert "| focal_rpo-by_sums | focal_rpo | +100.0 [" in table
    assert "| focal_rpo-by_sums-beta2 | focal_rpo-by_sums | -100.0 [" in table


def test_second_rounds_are_none_of_the_arms_that_change_one_thing():
    made = results({"reference": ["00"], "focal_rpo": ["00"], "focal_rpo-second": ["11"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    assert "| focal_rpo-second | 1e-05 | 7 | 20 | 1 | 100.0" in text
    assert "### One thing changed" not in text


@pytest.mark.parametrize("arm", ["focal_dpo-last", "an-arm-that-was"])
def test_arms_beside_no_recipe_of_the_page_are_shown(arm):
    made = results({"reference": ["00"], arm: ["11"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    assert f"| {arm} | 1e-05 | 7 | 20 | 1 | 100.0" in text
    assert "### One thing changed" not in text


def test_the_reference_alone_makes_a_page():
    made = results({"reference": ["01"]})
    page = make_page(made, title="Lab", discussion="", images=Path("images"))
    assert "| reference | - | - | - | 1 | 50.0" in page.text
    assert "chosen-logprob.png" not in page.images


def test_results_without_curves_make_a_page():
    made = replace(MADE, curves=MADE.curves.clear())
    page = make_page(made, title="Lab", discussion="", images=Path("images"))
    assert set(page.images) == {
        *("arms.png", "gains.png", "learning-rates.png", "rounds.png"),
    }


def test_results_without_rounds_kinds_curves_and_features_make_a_page():
    missing = {name: getattr(MADE, name).clear() for name in ("rounds", "kinds", "curves", "tasks")}
    page = make_page(replace(MADE, **missing), title="Other", discussion="", images=Path("images"))
    assert set(page.images) == {"arms.png", "gains.png", "learning-rates.png"}
    assert "| 5 | - | 51.9 | not run | not run |" in page.text
    for part in ("### Log-probabilities", "### What D- is made of", "### Samples"):
        assert part not in page.text


def row_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {start}"))


def test_claims_stand_with_the_papers_smallest_effect_and_their_outcome():
    made = results({"reference": ["0" * 20], "focal_dpo": ["1" * 20] * 3})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    row = row_of(text, "focal DPO rises above the reference")
    assert "| 3.2 | +100.0 [" in row  # 52.5 - 49.3
    assert row.endswith("| reproduced |")


def test_a_claim_without_an_effect_of_the_papers_is_told_without(page):
    row = row_of(page.text, "plain DPO does not rise")
    assert "| - | +0.0 [" in row
    assert row.endswith("| undecided |")


def test_two_seeds_are_told_to_decide_nothing(page):
    assert "with fewer than 3 seeds" in page.text
    assert "Two seeds decide no claim" in " ".join(HEAD.split())


def test_claims_that_were_not_run_are_told(page):
    assert row_of(page.text, "plain RPO does not rise").endswith("| - | - | not run |")


def test_curves_stand_from_first_to_last_steps(page):
    # the first two of twenty steps and the last two
    first, last = -(1 + 1 / 2) / 2, -(1 / 19 + 1 / 20) / 2
    assert f"| sft | {first:.3f} to {last:.3f} | - | - |" in page.text


def at_rate(made, arm, rate):
    """`made` with the curve of an arm at another rate too."""
    curves = made.curves.filter(arm=arm).with_columns(rate=pl.lit(rate))
    return replace(made, curves=pl.concat([made.curves, curves]))


def test_curves_stand_again_at_the_highest_rate_that_all_drawn_arms_were_tried_at():
    made = at_rate(at_rate(MADE, "sft", 10 * RATE), "sft", 100 * RATE)
    assert common_rate(made, ["sft", "dpo"]) == RATE
    made = at_rate(made, "dpo", 10 * RATE)
    assert common_rate(made, ["sft", "dpo"]) == 10 * RATE
    page = make_page(made, title="Lab", discussion="", images=Path("images"))
    part = page.text.split("### Log-probabilities")[1].split("### ")[0]
    assert "The same at 0.0001, the highest rate" in part
    assert part.count("| sft |") == part.count("| dpo |") == 2


def test_without_curves_there_is_no_common_rate():
    assert common_rate(replace(MADE, curves=MADE.curves.clear()), ["sft"]) is None
    assert common_rate(MADE, ["rpo"]) is None


def test_kinds_of_tokens_stand_in_shares(page):
    # of D-: x, f and y beside =, ( and ); of the other lines: x, = and 1
    assert "| random | name | 50.0 | 33.3 |" in page.text


def test_errors_are_counted_by_model(page):
    assert "| arm | KeyError |" in page.text
    assert "| dpo | 20.0 |" in page.text
    assert "| sft | 0.0 |" in page.text


def test_papers_figures_stand_beside_ours(page):
    assert "| DPO | 45.5 | 41.1 | 47.0 | 30.4 | dpo | 0.0 [0.0, 0.0] |" in page.text
    assert "| SFT on y+ | 62.9 | sft | 100.0 [100.0, 100.0] |" in page.text


def test_an_arm_of_a_papers_table_that_was_not_run_is_told(page):
    assert "| last | 63.7 | focal_dpo-last | not run |" in page.text


def test_rounds_stand_beside_the_papers(page):
    # solved after one program; neither samples nor more rounds are in the table
    assert "| 1 | 36.7 | - | 50.0 | not run | - |" in page.text
    assert "| 6 | 67.5 | - | not run | not run | - |" in page.text


def test_the_claim_about_debugging_is_told_of_the_most_programs_that_both_have():
    solved = {str(n): [0, 0, 1, 1] for n in range(10)}
    drawn = {str(n): [0, 1, 0] for n in range(10)}
    made = replace(MADE, rounds=rounds({"debugging": solved, "sampling": drawn}))
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    # two and three programs: all ten problems one way, 2 of 1,024 signs reach as far, twice
    told = row_of(text, "debugging solves more than as many independent samples")
    assert told.endswith("| 15.6 | +100.0 [+100.0, +100.0] p 0.00391 | reproduced |")
    at_two = row_of(text, "2 | - | - | 0.0 | 100.0")
    assert at_two.endswith("| -100.0 [-100.0, -100.0] p 0.00391 |")


def test_errors_of_rpo_stand_beside_the_papers():
    made = results({"reference": ["00"], "rpo": ["00", "01"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    # two and one programs fail with a KeyError
    assert "| KeyError | 139 | 100 | 1.5 | not run |" in text


def test_tasks_are_won_and_lost_by_every_seed_or_by_some():
    made = results({"reference": ["0011"], "sft": ["1001", "1101"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    assert "| sft | 2 | 1 | 1 | 0 | 1 |" in text


def test_gains_stand_by_kind_of_task():
    made = results({"reference": ["0011"], "sft": ["1001"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    # even places 0 and 2: one won, one lost; odd places 1 and 3 are as they were
    assert "| arm | numbers even, 2 tasks | numbers odd, 2 tasks |" in text
    assert "| reference (%) | 50.0 | 50.0 |" in text
    assert "| sft | +0.0 | +0.0 |" in text
    made = results({"reference": ["0011"], "sft": ["1011"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    assert "| sft | +50.0 | +0.0 |" in text


def test_of_many_kinds_of_tasks_the_more_general_ones_stand():
    made = results({"reference": ["0" * 26], "sft": ["1" * 26]})
    kinds = [["letters", str(place // 2)] for place in range(26)]
    many = made.tasks.with_columns(features=pl.Series(kinds))
    text = make_page(
        replace(made, tasks=many), title="Lab", discussion="", images=Path("images")
    ).text
    assert "| arm | letters, 26 tasks |" in text
    assert "| sft | +100.0 |" in text


def test_wrong_programs_that_pass_are_counted_among_those_judged_again():
    verdicts = pl.when(pl.col("passed")).then(pl.col("problem_id") != "problem-0")
    scores = MADE.scores.with_columns(passed_stronger=verdicts)
    text = make_page(
        replace(MADE, scores=scores), title="Lab", discussion="", images=Path("images")
    ).text
    assert "| sft | 40 | 40 | 2 | 5.0 |" in text
    assert "| dpo | 0 | 0 | 0 | not run |" in text


def test_programs_that_pass_and_were_not_judged_again_are_told():
    verdicts = pl.when(pl.col("passed") & (pl.col("seed") == 0)).then(pl.lit(value=True))
    scores = MADE.scores.with_columns(passed_stronger=verdicts)
    text = make_page(
        replace(MADE, scores=scores), title="Lab", discussion="", images=Path("images")
    ).text
    assert "| sft | 40 | 20 | 0 | 0.0 |" in text


def test_nothing_is_told_of_stronger_tests_where_none_were_run(page):
    assert "### Wrong programs that pass" not in page.text
    assert "of the lab's" not in page.text


def test_tasks_without_features_are_not_parted_by_kind():
    made = results({"reference": ["0011"], "sft": ["1001"]})
    plain = made.tasks.with_columns(features=pl.lit([], made.tasks.schema["features"]))
    text = make_page(
        replace(made, tasks=plain), title="Lab", discussion="", images=Path("images")
    ).text
    assert "| sft | 1 | 1 | 0 | 0 | 1 |" in text
    assert "kind of task" not in text


def test_sampled_pass_rates_stand_with_their_difference_and_diversity():
    made = results({"reference": ["00"], "sft": ["11"]})
    drawn = with_samples(made, {"reference": [(0, 4), (2, 2)], "sft": [(4, 1), (2, 2)]})
    text = make_page(drawn, title="Lab", discussion="", images=Path("images")).text
    # 0 and 2 of 4 passed against 4 and 2; one of four passes on 1 and on 2 of 2 problems
    assert "| reference | 1 | 25.0 [" in text
    assert "| 50.0 (k = 4) | 3.00 of 4 |" in text
    assert "| sft | 1 | 75.0 [" in text
    assert "| +50.0 [" in text
    assert "| 100.0 (k = 4) | 1.50 of 4 |" in text


def test_claims_stand_with_their_outcome_greedy_and_on_samples():
    made = results({"reference": ["0" * 20], "focal_dpo": ["0" * 20] * 3})
    drawn = with_samples(made, {"reference": [(0, 1)] * 20, "focal_dpo": [(2, 1)] * 20}, seeds=3)
    text = make_page(drawn, title="Lab", discussion="", images=Path("images")).text
    part = text.split("### Claims on samples")[1].split("### ")[0]
    assert "| claim | greedy pass@1 | sampled pass@1 |" in part
    row = row_of(part, "focal DPO rises above the reference")
    assert "| not reproduced: +0.0 [+0.0, +0.0] p 1 | reproduced: +50.0 [" in row
    assert "focal RPO" not in part


def test_every_machine_and_commit_that_recorded_a_cell_is_told():
    made = results({"reference": ["00"], "sft": ["11"]})
    there = pl.when(pl.col("arm") == "sft").then(pl.lit("b" * 7)).otherwise(pl.lit("a" * 7))
    made = replace(made, cells=made.cells.with_columns(commit=there, machine=pl.lit("m")))
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    assert "at commit aaaaaaa, m; " in text
    assert "at commit bbbbbbb, m.\n" in text


def test_other_recipes_stand_beside_the_papers_own():
    made = results({"reference": ["00"], "focal_dpo": ["00"], "hybrid": ["11"], "sft": ["10"]})
    text = make_page(made, title="Lab", discussion="", images=Path("images")).text
    part = text.split("### Other recipes")[1].split("### ")[0]
    assert "| hybrid | focal_dpo | +100.0 [" in part
    assert "| sft |" not in part


def test_each_other_recipe_is_compared_with_the_papers_that_imitates_as_it_does():
    assert dict(AGAINST_FOCAL) == {
        **dict.fromkeys(("sft_incorrect", "focal_ul"), "focal_rpo"),
        **dict.fromkeys(("hybrid", "diff_augment", "symmetric", "focused_dpo"), "focal_dpo"),
    }


def test_nothing_is_told_of_samples_where_none_were_drawn(page):
    assert "### Samples" not in page.text


def test_every_figure_of_the_page_is_drawn_and_linked(page):
    assert all(f"(images/{name})" in page.text for name in page.images)
    assert all(draw().startswith(b"\x89PNG") for draw in page.images.values())


def test_equal_results_give_an_equal_page(page):
    again = make_page(MADE, title="Lab", discussion="Why.\n", images=Path("images"))
    assert page.text == again.text
    assert {name: draw() for name, draw in page.images.items()} == {
        name: draw() for name, draw in again.images.items()
    }


def a_folder(root: Path, name: str, discussion: str = "") -> None:
    """Recorded results of base model `name` below `root`."""
    write_results(results({"reference": ["01"], "sft": ["11"]}), root / name)
    if discussion:
        (root / name / "discussion.md").write_text(discussion, encoding="utf-8")


def written(root: Path) -> str:
    write_page(root, root / "EXPERIMENT.md")
    return (root / "EXPERIMENT.md").read_text(encoding="utf-8")


def test_page_is_written_with_its_figures_and_the_discussion(tmp_path):
    a_folder(tmp_path, "lab", "Because.\n")
    assert "### Discussion\n\nBecause.\n\n### Claims" in written(tmp_path)
    assert (tmp_path / "images" / "experiment" / "lab" / "arms.png").is_file()


def test_every_base_model_is_a_part_of_one_page_the_lab_first(tmp_path):
    for name in ("a-model", "lab", "other"):
        a_folder(tmp_path, name, f"Of {name}.\n")
    text = written(tmp_path)
    parts = [line for line in text.splitlines() if line.startswith(("# ", "## "))]
    assert parts == [
        "# The paper's experiment",
        "## What the arms are",
        *("## Base model lab", "## Base model a-model", "## Base model other"),
    ]
    assert text.index("Of lab.") < text.index("## Base model a-model") < text.index("Of a-model.")
    assert "(images/experiment/other/gains.png)" in text
    assert (tmp_path / "images" / "experiment" / "other" / "gains.png").is_file()


def test_a_part_without_a_discussion_has_no_heading_for_it(tmp_path):
    a_folder(tmp_path, "lab")
    assert "### Discussion" not in written(tmp_path)


def test_a_base_model_of_which_programs_alone_are_recorded_has_no_part(tmp_path):
    a_folder(tmp_path, "lab")
    (tmp_path / "other" / "programs").mkdir(parents=True)
    assert "Base model other" not in written(tmp_path)


def test_a_page_of_no_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="no results"):
        write_page(tmp_path, tmp_path / "EXPERIMENT.md")


def test_tables_where_folders_of_them_belong_are_refused(tmp_path):
    a_folder(tmp_path, "lab")
    with pytest.raises(InputError, match="no results"):
        write_page(tmp_path / "lab", tmp_path / "EXPERIMENT.md")
