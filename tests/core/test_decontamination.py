import gzip
import json
from pathlib import Path

import polars as pl

from iterpref_assets.core.decontamination import overlapping_problems
from iterpref_assets.core.pairs.llmdebugger import read_trajectories

BENCHMARK = {
    "B/1": "Return the sum of all even numbers in the given list of numbers.",
    "B/2": "Too short.",
}


def _problems(*prompts: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"problem_id": [f"p{i}" for i in range(len(prompts))], "prompt": list(prompts)}
    )


def test_ten_shared_words_in_a_row_are_an_overlap_whatever_their_case_and_punctuation():
    problems = _problems("Please: return THE sum, of all even numbers in the given (list)!")
    assert overlapping_problems(problems, BENCHMARK).rows() == [
        ("p0", "B/1", "return the sum of all even numbers in the given")
    ]


def test_nine_shared_words_are_none():
    problems = _problems("return the sum of all even numbers in the string")
    assert overlapping_problems(problems, BENCHMARK).is_empty()


def test_the_same_words_in_another_order_are_none():
    problems = _problems("numbers of list given the in numbers even all of sum the return")
    assert overlapping_problems(problems, BENCHMARK).is_empty()


def test_each_item_is_named_once():
    text = BENCHMARK["B/1"]
    found = overlapping_problems(_problems(f"{text} {text}"), BENCHMARK | {"B/3": text})
    assert found["benchmark_id"].to_list() == ["B/1", "B/3"]


def test_recorded_trajectories_of_benchmark_tasks_are_refused(shared_data: Path):
    with gzip.open(shared_data / "benchmarks" / "HumanEval.jsonl.gz", "rt") as lines:
        tasks = [json.loads(line) for line in lines]
    benchmark = {task["task_id"]: task["prompt"] for task in tasks}
    file = shared_data / "trajectories" / "llmdebugger" / "humaneval-gpt-4-seed.jsonl.gz"
    problems = read_trajectories([file]).problems
    frame = pl.DataFrame([{"problem_id": p.problem_id, "prompt": p.prompt} for p in problems])
    found = overlapping_problems(frame, benchmark)
    own = found.filter(pl.col("problem_id") == pl.col("benchmark_id"))
    assert own.height == frame.height == 164
