"""What a generator writes becomes problems; nothing finished is asked for twice."""

import asyncio
from pathlib import Path

import polars as pl
import pytest
from written_program import PROGRAM

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sampling import GenerationConfig
from iterpref_assets.core.seeds.program_response import Fault
from iterpref_assets.core.seeds.reading import Unusable
from iterpref_assets.core.seeds.synthesis import first_samples, read_written, write_tasks
from iterpref_assets.core.seeds.synthetic import Draw

TASK = """<task>Add two numbers, for $5.</task>
<signature>def add(x, y):</signature>
<examples>add(1, 2) == 3</examples>
<tags>sums</tags>"""
CONFIG = GenerationConfig.model_validate({"max_in_flight": 2})
DRAWS = [Draw(f"tree-000/{n:05d}", f'{{"text": ["split {n}"]}}', (f"text/{n}",)) for n in range(4)]


class Scripted:
    """An engine that answers by key and remembers what it was asked; it may die on the way."""

    description = "scripted"

    def __init__(self, answers: dict[str, str], dies_after: int = 10**9) -> None:
        self.answers, self.dies_after = answers, dies_after
        self.asked: dict[str, str] = {}

    async def generate(self, request: Request) -> Completion:
        if len(self.asked) >= self.dies_after:
            raise RuntimeError("killed")
        self.asked[request.key] = request.messages[0].content
        kind = TASK if "#-2#" in request.key else PROGRAM
        text = self.answers.get(request.key, kind)
        special = {"cut": FinishReason.LENGTH, "filtered": FinishReason.FILTERED}
        reason = special.get(text, FinishReason.STOP)
        return Completion(request.key, text, 1, 1, reason, request.seed)


def write(engine: Scripted, work: Path, packages: tuple[str, ...] = ()) -> pl.DataFrame:
    return asyncio.run(write_tasks(DRAWS, engine, CONFIG, packages, work))


def test_a_readable_task_is_followed_by_its_program_and_becomes_a_problem(tmp_path: Path) -> None:
    engine = Scripted({})
    written = read_written(DRAWS, write(engine, tmp_path), ())
    first = written.problems[0]
    assert first.problem_id == "tree-000/00000"
    assert first.prompt == (
        "Add two numbers, for $5.\n\nFunction signature:\ndef add(x, y):\n"
        "\nExamples:\nadd(1, 2) == 3\n\nTags:\nsums\n"
    )
    assert first.tests == CodeTests(
        module="add", code="from add import add\n\nassert add(3, 5) == 8"
    )
    assert first.features == ("text/0",)
    assert written.programs["tree-000/00000"] == "def add(x, y):\n    return x + y"
    assert "split 0" in engine.asked["tree-000/00000#-2#0"]
    assert "Add two numbers, for $5." in engine.asked["tree-000/00000#-1#0"]


def test_an_unreadable_task_is_counted_and_not_followed_up(tmp_path: Path) -> None:
    engine = Scripted({"tree-000/00001#-2#0": "no", "tree-000/00002#-2#0": "cut"})
    written = read_written(DRAWS, write(engine, tmp_path), ())
    assert [(each.record, each.reason, each.detail) for each in written.unusable] == [
        ("tree-000/00001", Unusable.MALFORMED, f"{Fault.MISSING_SECTION}: task"),
        ("tree-000/00002", Unusable.MALFORMED, Fault.TRUNCATED),
    ]
    assert "tree-000/00001#-1#0" not in engine.asked
    assert len(written.problems) == 2


def test_a_response_that_never_came_is_counted_with_its_reason(tmp_path: Path) -> None:
    engine = Scripted({"tree-000/00001#-2#0": "filtered", "tree-000/00002#-1#0": "filtered"})
    config = CONFIG.model_copy(update={"max_failed_share": 1.0})
    completions = asyncio.run(write_tasks(DRAWS, engine, config, (), tmp_path))
    written = read_written(DRAWS, completions, ())
    assert written.faults == {Fault.UNANSWERED: 2}
    assert [each.detail for each in written.unusable] == ["unanswered: filtered"] * 2


def test_more_failures_than_the_share_end_the_synthesis(tmp_path: Path) -> None:
    engine = Scripted({draw.name + "#-2#0": "filtered" for draw in DRAWS})
    with pytest.raises(InputError, match="filtered 2"):
        write(engine, tmp_path)


@pytest.mark.parametrize(
    ("packages", "problems", "reasons"),
    [((), 3, [Unusable.NOT_RUN]), (("numpy",), 4, [])],
)
def test_a_package_outside_the_allow_list_means_not_run(
    tmp_path: Path, packages: tuple[str, ...], problems: int, reasons: list[Unusable]
) -> None:
    response = PROGRAM.replace('"packages": []', '"packages": ["numpy"]')
    engine = Scripted({"tree-000/00003#-1#0": response})
    written = read_written(DRAWS, write(engine, tmp_path, packages), packages)
    assert len(written.problems) == problems
    assert [each.reason for each in written.unusable] == reasons


def test_a_restart_asks_only_for_what_is_missing_and_ends_with_the_same_table(
    tmp_path: Path,
) -> None:
    whole = write(Scripted({}), tmp_path / "whole")
    with pytest.raises(RuntimeError, match="killed"):
        write(Scripted({}, dies_after=5), tmp_path / "work")
    second = Scripted({})
    table = write(second, tmp_path / "work")
    assert table.equals(whole)
    assert len(second.asked) == 3


def test_the_program_that_came_with_a_problem_is_its_first_sample(tmp_path: Path) -> None:
    completions = write(Scripted({}), tmp_path)
    problems = read_written(DRAWS, completions, ()).problems[1:3]
    samples = first_samples(problems, completions)
    assert samples["key"].to_list() == ["tree-000/00001#0#0", "tree-000/00002#0#0"]
    assert read_answer(samples["completion"][0]).program == "def add(x, y):\n    return x + y"
