"""Comparisons of arms, and what they make of the paper's claims."""

from dataclasses import replace

import polars as pl
import pytest
from experiment_examples import results, with_samples

from iterpref_assets.core.debugging.figures import DEBUGGING, SAMPLING
from iterpref_assets.core.evaluation.bootstrap import Bootstrap, Interval
from iterpref_assets.core.experiment.arms import ARMS, SECOND_ROUNDS
from iterpref_assets.core.experiment.claims import CLAIMS, Claim, Outcome, Relation, outcome
from iterpref_assets.core.experiment.comparing import (
    Comparison,
    compare_all,
    number_of_tests,
    pass_rate,
)
from iterpref_assets.core.experiment.results import Results
from iterpref_assets.core.experiment.wording import points
from iterpref_assets.core.training.recipes import REFERENCE

FEW = Bootstrap(resamples=200)
HIGHER = Claim("more", "a", "b", "", ((52.0, 50.0), (63.0, 60.0)))
LOWER = Claim("less", "a", "b", "", ((50.0, 52.0),), Relation.BELOW)
NOT_HIGHER = Claim("no more", "a", "b", "", ((50.0, 50.0), (50.0, 52.0)), Relation.NOT_ABOVE)
SECONDS = {arm.name for arm in SECOND_ROUNDS}


def comparison(low: float, high: float, p_value: float) -> Comparison:
    interval = Interval(estimate=(low + high) / 2, low=low, high=high)
    return Comparison("a", "b", interval, 3, 3, 3, p_value, p_value, 0, 0)


@pytest.mark.parametrize(
    ("claim", "low", "high", "p_value", "expected"),
    [
        (HIGHER, 0.01, 0.05, 0.01, Outcome.REPRODUCED),
        (HIGHER, 0.01, 0.05, 0.2, Outcome.UNDECIDED),
        (HIGHER, -0.05, -0.01, 0.01, Outcome.INVERTED),
        (HIGHER, -0.05, -0.01, 0.2, Outcome.NOT_REPRODUCED),
        (HIGHER, -0.01, 0.01, 0.9, Outcome.NOT_REPRODUCED),
        (HIGHER, -0.01, 0.02, 0.9, Outcome.UNDECIDED),
        (LOWER, -0.05, -0.01, 0.01, Outcome.REPRODUCED),
        (LOWER, 0.01, 0.05, 0.01, Outcome.INVERTED),
        (LOWER, -0.01, 0.03, 0.9, Outcome.NOT_REPRODUCED),
        (LOWER, -0.03, 0.01, 0.9, Outcome.UNDECIDED),
        (NOT_HIGHER, -0.05, -0.01, 0.01, Outcome.REPRODUCED),
        (NOT_HIGHER, 0.01, 0.05, 0.01, Outcome.INVERTED),
        (NOT_HIGHER, -0.05, -0.01, 0.2, Outcome.UNDECIDED),
        (NOT_HIGHER, 0.01, 0.05, 0.2, Outcome.UNDECIDED),
        (NOT_HIGHER, 0.0, 0.0, 1.0, Outcome.UNDECIDED),
    ],
)
def test_outcome_follows_from_interval_and_corrected_test(claim, low, high, p_value, expected):
    assert outcome(claim, {("a", "b"): comparison(low, high, p_value)}) is expected


@pytest.mark.parametrize(
    "figures", [(), ((52.0, 50.0), (50.0, 50.0)), ((52.0, 50.0), (50.0, 52.0))]
)
@pytest.mark.parametrize(
    ("high", "expected"), [(-0.01, Outcome.NOT_REPRODUCED), (0.001, Outcome.UNDECIDED)]
)
def test_where_the_paper_shows_no_effect_every_one_of_the_claimed_sign_has_to_be_excluded(
    figures, high, expected
):
    claim = Claim("more", "a", "b", "", figures)
    assert outcome(claim, {("a", "b"): comparison(-0.05, high, 0.2)}) is expected


def test_the_effect_is_the_smallest_of_the_papers_figures_as_it_gives_them():
    by_text = {claim.text: claim.effect for claim in CLAIMS}
    # METHOD.md, Table 1: 48.8 - 45.5, 55.3 - 41.1 and 52.5 - 47.0
    assert by_text["focal DPO beats plain DPO"] == 0.033
    # 49.9 - 48.8, 56.3 - 55.3 and 52.3 - 52.5
    assert by_text["focal RPO beats focal DPO"] == -0.002
    # Table 20: 64.4 - 63.7
    assert by_text["random negatives beat last ones, focal DPO"] == 0.007
    assert by_text["nearest negatives beat random ones, focal RPO"] is None
    assert by_text["plain DPO does not rise above the reference"] is None


def test_the_papers_figures_are_written_beside_where_they_stand():
    claim = Claim("more", "a", "b", "Table 0, averages", ((52.0, 50.0), (63.0, 60.0)))
    assert claim.paper == "Table 0, averages: 52.0 against 50.0, 63.0 against 60.0"
    assert Claim("more", "a", "b", "not in it").paper == "not in it"


def test_two_seeds_decide_nothing():
    two = replace(comparison(0.01, 0.05, 0.001), seeds=2)
    assert outcome(HIGHER, {("a", "b"): two}) is Outcome.UNDECIDED


@pytest.mark.parametrize("claim", [each for each in CLAIMS if {each.arm, each.baseline} & SECONDS])
@pytest.mark.parametrize(("low", "high"), [(0.01, 0.05), (-0.05, -0.01)])
def test_a_claim_about_a_second_round_is_undecided_whatever_its_figures(claim, low, high):
    found = {(claim.arm, claim.baseline): comparison(low, high, 0.001)}
    assert outcome(claim, found) is Outcome.UNDECIDED


def test_what_is_not_trained_needs_no_seeds():
    one = replace(comparison(0.01, 0.05, 0.001), seeds=1)
    drawn = replace(HIGHER, min_seeds=1)
    assert outcome(drawn, {("a", "b"): one}) is Outcome.REPRODUCED
    assert [claim.arm for claim in CLAIMS if claim.min_seeds == 1] == [DEBUGGING]


def test_claim_about_an_arm_without_scores_is_not_run():
    assert outcome(HIGHER, {}) is Outcome.UNTESTED


def test_claims_name_arms_that_there_are():
    names = {arm.name for arm in ARMS} | {REFERENCE, DEBUGGING, SAMPLING}
    assert {name for claim in CLAIMS for name in (claim.arm, claim.baseline)} <= names


def test_difference_is_the_mean_over_seeds_and_problems():
    made = results({"reference": ["0110"], "sft": ["1110", "0111"]})
    found = compare_all(made, [("sft", "reference")], FEW)["sft", "reference"]
    assert found.difference.estimate == pytest.approx((0.25 + 0.25) / 2)
    # problem 0 is solved by one seed, problem 3 by the other
    assert (found.won, found.lost, found.seeds) == (2, 0, 2)


def test_one_model_against_one_is_mcnemars_test():
    made = results({"reference": ["000000"], "sft": ["111110"]})
    found = compare_all(made, [("sft", "reference")], FEW)["sft", "reference"]
    assert found.p_value == 2 / 2**5


def test_sampled_shares_are_tested_by_their_size():
    made = results({"reference": ["000"], "sft": ["000"]})
    drawn = with_samples(made, {"reference": [(1, 1)] * 3, "sft": [(2, 1)] * 3})
    found = compare_all(drawn.of_samples(), [("sft", "reference")], FEW)["sft", "reference"]
    # all three problems passed once more in four: of 8 signs two reach as far
    assert (found.difference.estimate, found.p_value) == (0.25, 2 / 8)


def test_p_values_are_corrected_for_every_comparison_made():
    made = results({"reference": ["00000"], "sft": ["11111"], "dpo": ["00000"]})
    found = compare_all(made, [("sft", "reference"), ("dpo", "reference")], FEW)
    assert found["sft", "reference"].adjusted == 2 * found["sft", "reference"].p_value


def test_a_comparison_and_its_mirror_image_are_one_test():
    made = results({"reference": ["00000"], "sft": ["11111"], "dpo": ["00000"]})
    wanted = [("sft", "dpo"), ("sft", "reference"), ("dpo", "sft")]
    found = compare_all(made, wanted, FEW)
    assert found["sft", "dpo"].adjusted == 2 * found["sft", "dpo"].p_value
    assert number_of_tests(found) == 2


def test_a_mirror_image_is_the_negated_result():
    made = results({"reference": ["0000"], "sft": ["1101", "1100", "1100"], "dpo": ["1010"] * 2})
    found = compare_all(made, [("sft", "dpo"), ("dpo", "sft")], FEW)
    there, back = found["sft", "dpo"], found["dpo", "sft"]
    assert (back.arm, back.baseline) == ("dpo", "sft")
    # seeds 0 and 1 of sft win problem 1, lose problem 2; seed 0 wins problem 3
    assert (there.difference.estimate, back.difference.estimate) == (0.125, -0.125)
    assert (back.difference.low, back.difference.high) == (
        *(-there.difference.high, -there.difference.low),
    )
    assert (there.won, there.lost, back.won, back.lost) == (2, 1, 1, 2)
    assert (there.seeds, there.arm_seeds, there.baseline_seeds) == (2, 3, 2)
    assert (back.seeds, back.arm_seeds, back.baseline_seeds) == (2, 2, 3)


def test_seeds_are_told_where_a_comparison_has_fewer_than_one_of_its_arms():
    made = results({"reference": ["0000"], "sft": ["1111"] * 3, "dpo": ["0000"] * 2})
    found = compare_all(made, [("sft", "dpo"), ("dpo", "sft"), ("sft", "reference")], FEW)
    assert points(found["sft", "dpo"]) == "+100.0 [+100.0, +100.0] p 0.25 n=2"
    assert points(found["dpo", "sft"]) == "-100.0 [-100.0, -100.0] p 0.25 n=2"
    assert points(found["sft", "reference"]) == "+100.0 [+100.0, +100.0] p 0.25"


def test_arms_without_scores_are_left_out_of_the_comparisons():
    made = results({"reference": ["01"], "sft": ["11"]})
    assert list(compare_all(made, [("sft", "reference"), ("dpo", "sft")], FEW)) == [
        ("sft", "reference")
    ]


def test_arms_of_different_numbers_of_seeds_share_those_that_both_have():
    made = results({"reference": ["00"], "sft": ["11", "11", "00"], "dpo": ["00", "00"]})
    found = compare_all(made, [("sft", "dpo")], FEW)["sft", "dpo"]
    assert (found.seeds, found.difference.estimate) == (2, 1.0)


@pytest.mark.parametrize(
    ("arm", "baseline"), [(["111", "000"], ["000"]), (["111"], ["000", "111"])]
)
def test_one_seed_of_a_trained_baseline_is_compared_with_one(arm, baseline):
    made = results({"reference": ["000"], "sft": arm, "dpo": baseline})
    found = compare_all(made, [("sft", "dpo")], FEW)["sft", "dpo"]
    assert (found.seeds, found.difference.estimate) == (1, 1.0)
    assert found.p_value == 2 / 2**3  # McNemar's


def test_one_seed_of_a_trained_baseline_decides_no_claim():
    seeds = ["1" * 40] * 3
    made = results({"reference": ["0" * 40], "sft": seeds, "dpo": ["0" * 40]})
    found = compare_all(made, [("sft", "dpo"), ("sft", "reference")], FEW)
    assert outcome(Claim("", "sft", "dpo", ""), found) is Outcome.UNDECIDED
    assert outcome(Claim("", "sft", REFERENCE, ""), found) is Outcome.REPRODUCED


def without_seed_0(made: Results, arm: str) -> Results:
    gone = (pl.col("arm") == arm) & (pl.col("seed") == 0)
    return replace(made, scores=made.scores.filter(~gone))


def test_seeds_are_compared_with_the_same_ones():
    made = results({"reference": ["00"], "sft": ["10", "01"], "dpo": ["11", "01"]})
    found = compare_all(without_seed_0(made, "dpo"), [("dpo", "sft")], FEW)["dpo", "sft"]
    # seed 1 solves the same with either; seed 0 of sft would lose a problem and win another
    assert (found.seeds, found.won, found.lost) == (1, 0, 0)


def test_arms_without_a_seed_in_common_are_not_compared():
    made = results({"reference": ["00"], "sft": ["10"], "dpo": ["11", "01"]})
    wanted = [("dpo", "sft"), ("dpo", "reference")]
    assert list(compare_all(without_seed_0(made, "dpo"), wanted, FEW)) == [("dpo", "reference")]


def test_pass_rate_is_that_of_all_seeds():
    made = results({"reference": ["01"], "sft": ["11", "01"]})
    assert pass_rate(made, "sft", FEW).estimate == 0.75
