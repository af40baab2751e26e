"""Seeds are dropped with the reason and with what they share, and kept otherwise."""

import pytest
from pydantic import ValidationError

from iterpref_assets.core.decontamination.filtering import (
    HELDOUT,
    SeedFilter,
    SeedFilterConfig,
    drop_counts,
)
from iterpref_assets.core.decontamination.items import item_of
from iterpref_assets.core.decontamination.refusal import BenchmarkSource
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_shard
from iterpref_assets.core.records import Problem

WORDS = "Write a function that counts how often each vowel occurs in a long text"
ITEM = item_of("B", "B/1", (WORDS,))


def problem(name: str, prompt: str, source: str = "mine", reference: str = "") -> Problem:
    cases = [{"arguments": "()", "expected": "1"}]
    return Problem.model_validate(
        {
            "problem_id": name, "source": source, "prompt": prompt, "reference": reference,
            "tests": {"kind": "function", "entry_point": "f", "cases": cases},
        }
    )  # fmt: skip


def sift(seeds: SeedFilter, *problems: Problem) -> tuple[list[str], list[tuple]]:
    kept, dropped = seeds.sift(problems)
    rows = dropped.select("problem_id", "reason", "benchmark", "shared_with").rows()
    return [each.problem_id for each in kept], rows


def test_a_contaminated_problem_is_dropped_because_of_its_item() -> None:
    seeds = SeedFilter(SeedFilterConfig(), [ITEM])
    assert sift(seeds, problem("a", WORDS), problem("b", "Sort.")) == (
        ["b"], [("a", "prompt_words", "B", "B/1")],
    )  # fmt: skip


def test_every_item_that_is_shared_has_its_row_but_the_problem_counts_once() -> None:
    seeds = SeedFilter(SeedFilterConfig(), [ITEM, item_of("C", "C/7", (WORDS,))])
    _, dropped = seeds.sift([problem("a", WORDS)])
    assert dropped["shared_with"].to_list() == ["B/1", "C/7"]
    assert drop_counts(dropped) == {"prompt_words": 1}


def test_the_same_prompt_or_reference_again_is_an_exact_duplicate() -> None:
    first = problem("a", "Sort the words.", reference="def f(): return 1")
    assert sift(
        SeedFilter(SeedFilterConfig()),
        first,
        problem("b", "sort  the\nWORDS."),
        problem("c", "Another.", reference="def f(): return 1\n"),
    ) == (
        ["a"],
        [("b", "exact_duplicate", None, "a"), ("c", "exact_duplicate", None, "a")],
    )


def test_one_word_changed_in_a_long_prompt_is_a_near_duplicate() -> None:
    text = " ".join(f"word{index}" for index in range(60))
    seeds = SeedFilter(SeedFilterConfig())
    kept, rows = sift(seeds, problem("a", text), problem("b", text.replace("word30", "other")))
    assert (kept, rows) == (["a"], [("b", "near_duplicate", None, "a")])


def test_half_the_words_changed_is_another_problem() -> None:
    text = " ".join(f"word{index}" for index in range(60))
    other = " ".join(f"word{index}" if index < 30 else f"new{index}" for index in range(60))
    assert sift(SeedFilter(SeedFilterConfig()), problem("a", text), problem("b", other)) == (
        ["a", "b"], [],
    )  # fmt: skip


def test_shards_that_are_sifted_one_after_the_other_are_compared_too() -> None:
    seeds = SeedFilter(SeedFilterConfig())
    seeds.sift([problem("a", "Sort.")])
    assert sift(seeds, problem("b", "sort.")) == ([], [("b", "exact_duplicate", None, "a")])


def test_a_duplicate_of_a_dropped_problem_is_judged_on_its_own() -> None:
    seeds = SeedFilter(SeedFilterConfig(), [ITEM])
    kept, rows = sift(seeds, problem("a", WORDS), problem("b", f"{WORDS}!"))
    assert [row[1] for row in rows] == ["prompt_words", "prompt_words"]
    assert kept == []


def test_a_problem_that_is_held_out_too_is_dropped() -> None:
    seeds = SeedFilter(SeedFilterConfig(), heldout=[problem("h", "Sort.")])
    assert sift(seeds, problem("a", "sort.")) == ([], [("a", "exact_duplicate", HELDOUT, "h")])


@pytest.mark.parametrize(
    "asked", [problem("x/1", "Sort.", source="llmdebugger"), problem("MBPP/480", "Sort.")]
)
def test_a_benchmarks_own_task_is_dropped_without_any_benchmark_file(asked: Problem) -> None:
    kept, rows = sift(SeedFilter(SeedFilterConfig()), asked)
    assert (kept, [row[1] for row in rows]) == ([], ["benchmark_task"])


def test_the_named_override_keeps_that_source_and_no_other() -> None:
    seeds = SeedFilter(SeedFilterConfig(allow_training_on=(BenchmarkSource.LLMDEBUGGER,)), [ITEM])
    ours, other = problem("MBPP/1", WORDS, source="llmdebugger"), problem("MBPP/2", WORDS)
    kept, rows = sift(seeds, ours, other)
    assert (kept, [row[0] for row in rows]) == (["MBPP/1"], ["MBPP/2"])


def test_an_override_that_names_no_source_of_benchmark_tasks_is_refused() -> None:
    with pytest.raises(ValidationError, match="llmdebugger"):
        SeedFilterConfig.model_validate({"allow_training_on": ["nonsense"]})


def test_functions_of_one_exercise_are_not_compared_for_nearness() -> None:
    text = " ".join(f"word{index}" for index in range(60))
    named = [problem(f"exercism/cipher/{name}", f"{text} {name}", "exercism") for name in "ab"]
    other = problem("mine/c", f"{text} c")
    kept, _ = sift(SeedFilter(SeedFilterConfig()), *named, other)
    assert kept == ["exercism/cipher/a", "exercism/cipher/b"]


def test_the_labs_problems_are_all_kept_whatever_their_wording() -> None:
    problems = compose_shard(LabConfig(problems_per_shard=300), "lab-000")
    kept, dropped = SeedFilter(SeedFilterConfig()).sift(problems)
    assert kept == problems
    assert dropped.is_empty()
