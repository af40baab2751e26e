"""A training problem that shares a benchmark item's words, function or solution is found."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.decontamination.index import Compared, ContaminationIndex, Rule, grams
from iterpref_assets.core.decontamination.items import BenchmarkItem, item_of, read_items
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.problems import compose_shard
from iterpref_assets.core.pairs.recorded import read_trajectories
from iterpref_assets.core.records import Problem
from iterpref_assets.core.seeds.mbpp import MbppSeeds

FILES = (
    "HumanEval", "HumanEvalPlus", "MbppPlus", "mbpp", "BigCodeBench-v0.1.4",
    "livecodebench-v5-public-tests-279",
)  # fmt: skip
PROGRAM = "def double(x):\n    y = x * 2\n    return y"
ITEM = item_of(
    "B", "B/1", ("Return the sum of all even numbers in the given list of numbers.",),
    entry_point="double", code=PROGRAM, reference=PROGRAM,
)  # fmt: skip


def problem(**changes: str) -> Problem:
    tests = {
        "kind": "function", "entry_point": "f", "cases": [{"arguments": "()", "expected": "1"}],
    }  # fmt: skip
    given = {"problem_id": "p", "source": "mine", "prompt": "Something else.", "tests": tests}
    return Problem.model_validate({**given, **changes})


def rules(asked: Problem, *items: BenchmarkItem) -> list[tuple[Rule, str]]:
    overlaps = ContaminationIndex(items or (ITEM,)).overlaps(asked)
    return [(each.rule, each.item.item) for each in overlaps]


def test_a_problem_of_its_own_shares_nothing() -> None:
    assert rules(problem(entry_point="f", signature="def f(x):", reference="def f(x): pass")) == []


def test_ten_shared_words_in_a_row_are_found_whatever_their_case_and_punctuation() -> None:
    asked = problem(prompt="Please: return THE sum, of all even numbers in the given (list)!")
    (overlap,) = ContaminationIndex([ITEM]).overlaps(asked)
    assert overlap.rule is Rule.PROMPT_WORDS
    assert overlap.evidence == "return the sum of all even numbers in the given"


@pytest.mark.parametrize(
    "prompt",
    [
        "return the sum of all even numbers in the string",
        "numbers of list given the in numbers even all of sum the return",
    ],
    ids=["nine words", "another order"],
)
def test_fewer_words_or_another_order_are_no_overlap(prompt: str) -> None:
    assert rules(problem(prompt=prompt)) == []


@given(st.integers(0, 3), st.lists(st.sampled_from(["sort", "a", "list"]), max_size=30))
def test_any_ten_words_in_a_row_of_an_item_are_found_wherever_they_stand(
    start: int, around: list[str]
) -> None:
    shared = ITEM.prompts[0].split()[start : start + 10]
    half = len(around) // 2
    prompt = " ".join([*around[:half], *shared, *around[half:]])
    assert (Rule.PROMPT_WORDS, "B/1") in rules(problem(prompt=prompt))


def test_numbers_alone_are_no_shared_words() -> None:
    counting = " ".join(map(str, range(1, 20)))
    assert rules(problem(prompt=counting), item_of("B", "B/2", (counting,))) == []


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("def double(x: int) -> int:", [(Rule.SIGNATURE, "B/1")]),
        ("def double(y):", []),
        ("def double(x, y):", []),
        ("def treble(x):", []),
    ],
)
def test_the_same_function_with_the_same_parameters_is_found(signature: str, expected) -> None:
    entry_point = signature[4:].partition("(")[0]
    assert rules(problem(signature=signature, entry_point=entry_point)) == expected


def test_a_name_that_a_benchmark_gives_to_every_function_says_nothing() -> None:
    item = item_of("B", "B/2", ("x",), entry_point="task_func", code="def task_func(a): pass")
    asked = problem(entry_point="task_func", signature="def task_func(a):")
    assert rules(asked, item) == []


def test_the_same_solution_under_other_names_is_found() -> None:
    asked = problem(reference="def twice(n):\n    m = n * 2  # doubled\n    return m")
    assert rules(asked) == [(Rule.REFERENCE, "B/1")]


def test_the_items_own_id_is_found() -> None:
    assert rules(problem(problem_id="b/1")) == [(Rule.TASK_ID, "B/1")]


def test_each_item_is_named_once_for_each_rule() -> None:
    twice = problem(prompt=f"{ITEM.prompts[0]} {ITEM.prompts[0]}")
    again = item_of("B", "B/2", ITEM.prompts)
    assert rules(twice, ITEM, again) == [(Rule.PROMPT_WORDS, "B/1"), (Rule.PROMPT_WORDS, "B/2")]


@pytest.fixture(scope="module")
def published(shared_data: Path) -> ContaminationIndex:
    folder = shared_data / "benchmarks"
    return ContaminationIndex(
        item for name in FILES for item in read_items(folder / f"{name}.jsonl.gz")
    )


def test_recorded_trajectories_of_benchmark_tasks_are_found(shared_data: Path, published) -> None:
    files = sorted((shared_data / "trajectories" / "llmdebugger").glob("*.jsonl.gz"))
    problems = read_trajectories(files).problems
    own = [{each.item.item.casefold() for each in published.overlaps(asked)} for asked in problems]
    assert all(p.problem_id.casefold() in ids for p, ids in zip(problems, own, strict=True))


def test_each_of_the_108_mbpp_plus_tasks_in_mbpps_train_split_is_found(
    shared_data: Path, published
) -> None:
    seeds = MbppSeeds(path=shared_data / "benchmarks" / "mbpp.jsonl.gz")
    found = [
        each.item.item
        for asked in seeds.read().problems
        for each in published.overlaps(asked)
        if each.rule is Rule.TASK_ID
    ]
    assert len(found) == 108


def test_the_lab_shares_nothing_with_any_benchmark(published) -> None:
    problems = compose_shard(LabConfig(problems_per_shard=200), "lab-000")
    assert [each for asked in problems for each in published.overlaps(asked)] == []


CHINESE = "编写一个函数、输入一个正整数、返回它所有的质因数、并且按照从小到大的顺序排列。"
JAPANESE = (
    "正の整数を受け取り、その素因数をすべて小さい順に並べたリストを返す関数を書いてください。"
)


@pytest.mark.parametrize("text", [CHINESE, JAPANESE])
def test_a_statement_without_blanks_is_found_in_another_by_its_characters(text: str):
    item = BenchmarkItem("Mine", "Mine/1", (text,))
    problem = Compared("p", f"题目{text[2:]}谢谢")
    (found,) = ContaminationIndex([item]).overlaps(problem)
    assert found.rule is Rule.PROMPT_WORDS


@pytest.mark.parametrize(
    "text",
    [
        "编写一个函数、输入一个整数列表、返回最大的数。",
        "リストの最大値を返す関数を書いてください。",
    ],
)
def test_a_phrase_that_every_statement_has_is_no_overlap(text: str):
    items = [BenchmarkItem("Mine", "Mine/1", (each,)) for each in (CHINESE, JAPANESE)]
    assert ContaminationIndex(items).overlaps(Compared("p", text)) == []


def test_two_characters_count_as_a_word():
    assert list(grams("一二三四", 2)) == ["一 二 三 四"]
    assert list(grams("返回 sum 的", 2)) == ["返 回 sum", "回 sum 的"]


@given(st.lists(st.sampled_from(["one", "two", "3", "x_1", "-", "Ünter"]), max_size=12))
def test_text_with_blanks_is_compared_by_words(parts: list[str]):
    words = [part.casefold() for part in parts if part != "-"]
    runs = [words[n : n + 3] for n in range(len(words) - 2)]
    wanted = [" ".join(run) for run in runs if not all(word.isdecimal() for word in run)]
    assert list(grams(" ".join(parts), 3)) == wanted
