import ast
import itertools

import pytest

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.lab.config import LabConfig
from iterpref_assets.core.lab.corpus import Lesson, draw_lessons
from iterpref_assets.core.lab.evaluation import load_function
from iterpref_assets.core.lab.problems import compose_heldout, compose_shard
from iterpref_assets.core.records import Case, FunctionTests
from iterpref_assets.core.sandbox.sandbox import Sandbox


def lessons(count: int, debug_share: float) -> list[Lesson]:
    return list(itertools.islice(draw_lessons(7, debug_share), count))


def body(code: str) -> str:
    return code.partition("\n")[2]


def test_lessons_are_the_same_every_time():
    assert lessons(20, 0.5) == lessons(20, 0.5)


def test_the_share_of_debug_turns_is_about_as_asked():
    debug = [lesson for lesson in lessons(400, 0.4) if len(lesson.conversation) == 3]
    assert len(debug) / 400 == pytest.approx(0.4, abs=0.1)


def test_answers_define_the_function_of_the_prompt():
    for lesson in lessons(50, 0.5):
        signature = lesson.code.partition("\n")[0]
        assert lesson.conversation[0].content.endswith(f"{signature}\n")
        load_function(lesson.code, signature.removeprefix("def ").partition("(")[0])


def test_debug_turns_show_another_program_than_their_answer():
    for lesson in lessons(60, 1.0):
        if len(lesson.conversation) == 3:
            assert read_answer(lesson.conversation[1].content).program != lesson.code


def test_no_lesson_answers_a_problem_of_the_lab():
    config = LabConfig(shards=1, problems_per_shard=100, heldout_problems=100)
    problems = [*compose_shard(config, "lab-000"), *compose_heldout(config)]
    assert not {body(p.reference) for p in problems} & {body(x.code) for x in lessons(3000, 0.0)}


@pytest.mark.sandbox
def test_lessons_show_failures_in_the_words_of_the_sandbox():
    with Sandbox(workers=1) as sandbox:
        for lesson in lessons(60, 1.0):
            if len(lesson.conversation) < 3:
                continue
            name = lesson.code.removeprefix("def ").partition("(")[0]
            shown = lesson.conversation[2].content
            wrong = read_answer(lesson.conversation[1].content).program
            execution = sandbox.judge(wrong, _failing_tests(lesson, name))
            assert execution.message in shown


def _failing_tests(lesson: Lesson, name: str) -> FunctionTests:
    """The one case that the lesson's feedback names, or any where it names none."""
    line = lesson.conversation[2].content.splitlines()[1]
    if not line.startswith((f"assert {name}(", f"{name}(")):
        return FunctionTests(entry_point=name, cases=(Case(arguments="(0,)", expected="0"),))
    call = line.removeprefix("assert ").partition(" == ")[0].partition(" raised ")[0]
    arguments = call.removeprefix(name)[:-1] + ",)"
    function = load_function(lesson.code, name)
    expected = function(*ast.literal_eval(arguments))
    return FunctionTests(
        entry_point=name, cases=(Case(arguments=arguments, expected=repr(expected)),)
    )
