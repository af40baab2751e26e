"""How many calls may fail before the work ends."""

import logging

import pytest

from iterpref_assets.core.engines.budget import FailureBudget
from iterpref_assets.core.engines.protocol import FAILED, Completion, FinishReason
from iterpref_assets.core.errors import InputError


def completion(key: str, reason: FinishReason, detail: str = "") -> Completion:
    return Completion(key, "", None, 0, reason, 0, detail=detail)


def count(budget: FailureBudget, *reasons: FinishReason) -> None:
    for number, reason in enumerate(reasons):
        budget.count(completion(f"k{number}", reason))


def test_failures_up_to_the_share_are_counted_by_kind() -> None:
    budget = FailureBudget(0.3, total=10)
    failed = (FinishReason.FILTERED, FinishReason.PROMPT_TOO_LONG, FinishReason.FILTERED)
    count(budget, *failed, *[FinishReason.STOP] * 7)
    assert budget.kinds == {"filtered": 2, "prompt_too_long": 1}


def test_one_failure_more_ends_the_work_and_names_kinds_and_first_items() -> None:
    budget = FailureBudget(0.3, total=10)
    count(budget, FinishReason.FILTERED, FinishReason.REFUSED, FinishReason.FILTERED)
    with pytest.raises(InputError) as caught:
        budget.count(completion("last", FinishReason.REJECTED, "400: bad"))
    assert "4 of 4 calls gave no answer" in str(caught.value)
    assert "filtered 2, first k0, k2; refused 1, first k1" in str(caught.value)
    assert "rejected 1, first last (400: bad)" in str(caught.value)
    assert caught.value.field == "max_failed_share"


def test_a_failure_alone_ends_nothing_where_any_are_allowed() -> None:
    count(FailureBudget(0.01, total=1), FinishReason.FILTERED)


def test_a_share_of_nothing_allows_no_failure() -> None:
    budget = FailureBudget(0.0, total=1000)
    count(budget, *[FinishReason.STOP] * 999)
    with pytest.raises(InputError, match="1 of 1000 calls gave no answer"):
        budget.count(completion("last", FinishReason.FILTERED))


def test_early_failures_of_much_work_are_measured_against_a_hundred_calls() -> None:
    budget = FailureBudget(0.1, total=10_000)
    count(budget, *[FinishReason.FILTERED] * 10)
    with pytest.raises(InputError, match="11 of 11 calls"):
        budget.count(completion("k", FinishReason.FILTERED))


def test_after_a_hundred_calls_the_share_is_that_of_the_calls_so_far() -> None:
    """After 989 answers, f failures are too many once f > 0.1 (989 + f), which is f = 110."""
    budget = FailureBudget(0.1, total=10_000)
    count(budget, *[FinishReason.STOP] * 989, *[FinishReason.FILTERED] * 100)
    assert budget.kinds == {"filtered": 100}
    with pytest.raises(InputError, match="110 of 1099 calls"):
        count(budget, *[FinishReason.FILTERED] * 100)


@pytest.mark.parametrize("reason", list(FinishReason))
def test_every_end_without_an_answer_counts_and_no_other(reason: FinishReason) -> None:
    budget = FailureBudget(1.0, total=1)
    count(budget, reason)
    assert budget.kinds == ({reason.value: 1} if reason in FAILED else {})
    assert (reason in FAILED) is (reason not in (FinishReason.STOP, FinishReason.LENGTH))


def test_the_first_failures_of_a_kind_are_logged_with_what_was_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    budget = FailureBudget(1.0, total=10)
    with caplog.at_level(logging.WARNING, "iterpref"):
        for number in range(5):
            budget.count(completion(f"k{number}", FinishReason.FILTERED, "400: filtered"))
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"no answer, filtered: k{n} (400: filtered)" for n in range(3)]


def test_finished_work_says_what_it_lacks(caplog: pytest.LogCaptureFixture) -> None:
    budget = FailureBudget(1.0, total=2)
    count(budget, FinishReason.STOP, FinishReason.FILTERED)
    caplog.clear()
    budget.tell("Sampling")
    [record] = caplog.records
    assert record.getMessage() == "Sampling: 1 of 2 calls gave no answer: filtered 1, first k1"


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (FinishReason.UNAVAILABLE, "start it again"),
        (FinishReason.PROMPT_TOO_LONG, "lower max_tokens"),
        (FinishReason.FILTERED, "Correct what is named"),
    ],
)
def test_the_remedy_is_that_of_the_failure(reason: FinishReason, remedy: str) -> None:
    budget = FailureBudget(0.2, total=10)
    with pytest.raises(InputError, match=rf"{remedy}, or raise max_failed_share, which is 0\.2"):
        count(budget, FinishReason.REJECTED, reason, reason)


def test_a_rarer_failure_s_remedy_is_named_too() -> None:
    budget = FailureBudget(0.2, total=10)
    with pytest.raises(InputError, match=r"lower max_tokens\. The log of the server .*start it"):
        count(
            budget,
            FinishReason.UNAVAILABLE,
            FinishReason.PROMPT_TOO_LONG,
            FinishReason.PROMPT_TOO_LONG,
        )
