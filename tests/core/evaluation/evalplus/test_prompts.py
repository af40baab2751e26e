import inspect

import pytest
from evalplus import codegen
from evalplus.provider.utility import make_raw_chat_prompt

from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, EvalPlusProblem
from iterpref_assets.core.evaluation.evalplus.prompts import (
    INSTRUCTION,
    RESPONSE,
    messages,
    program,
    stops,
)
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.prompts import Role

PROBLEM = EvalPlusProblem("T/0", 'def f(x):\n    """Add one."""\n', "f", "", [], [], 0)
HUMANEVAL, MBPP = EvalPlusBenchmark.HUMANEVAL, EvalPlusBenchmark.MBPP


class TaggingTokenizer:
    """A chat template that any test can read."""

    chat_template = "tags"

    def apply_chat_template(self, turns, tokenize):
        return "".join(f"<{turn['role']}>{turn['content']}<end>" for turn in turns)


def test_the_prefilled_chat_is_the_one_evalplus_renders():
    official = make_raw_chat_prompt(
        PROBLEM.prompt.strip() + "\n", INSTRUCTION, RESPONSE, TaggingTokenizer()
    )
    user, assistant = messages(PROBLEM, PromptStyle.PREFILLED)
    assert official == f"<user>{user.content}<end><assistant>{assistant.content}"


def test_instruction_and_response_are_the_ones_evalplus_uses():
    source = inspect.getsource(codegen.run_codegen)
    assert f'"{INSTRUCTION}"' in source
    assert f'"{RESPONSE}"' in source


def test_a_base_model_continues_the_bare_prompt():
    (message,) = messages(PROBLEM, PromptStyle.COMPLETION)
    assert (message.role, message.content) == (Role.TEXT, PROBLEM.prompt)


def test_a_prefilled_answer_ends_with_its_fence():
    text = "def f(x):\n    return x + 1\n```\nIt adds one.\n```python\ndef f(x): return 0\n```"
    assert program(PROBLEM, HUMANEVAL, PromptStyle.PREFILLED, text) == (
        "def f(x):\n    return x + 1"
    )


def test_a_base_models_completion_ends_where_the_next_definition_starts():
    text = "    return x + 1\n\ndef f(x):\n    return 0\n"
    assert program(PROBLEM, HUMANEVAL, PromptStyle.COMPLETION, text) == (
        'def f(x):\n    """Add one."""\n    return x + 1'
    )


def test_mbpp_completions_end_at_an_assertion_but_not_at_a_definition():
    text = "    return g(x)\n\ndef g(x):\n    return x + 1\n\nassert f(1) == 3\nimport os\n"
    made = program(PROBLEM, MBPP, PromptStyle.COMPLETION, text)
    assert "def g" in made
    assert "import os" not in made


@pytest.mark.parametrize("benchmark", [HUMANEVAL, MBPP])
@pytest.mark.parametrize("style", [PromptStyle.PREFILLED, PromptStyle.COMPLETION])
def test_a_completion_that_ends_behind_any_stop_holds_the_same_program(benchmark, style):
    text = "    return x + 1\n"
    for stop in stops(benchmark, style):
        ended = f"{text}{stop}"
        assert program(PROBLEM, benchmark, style, f"{ended}and more") == program(
            PROBLEM, benchmark, style, ended
        )


def test_a_plain_chat_ends_at_no_text_since_later_blocks_may_count():
    assert stops(HUMANEVAL, PromptStyle.CHAT) == ()


def test_tabs_become_four_spaces():
    made = program(PROBLEM, HUMANEVAL, PromptStyle.COMPLETION, "\tif x:\n\t\treturn 1\n\treturn 2")
    assert made.endswith("    if x:\n        return 1\n    return 2")


def test_a_chat_answer_is_searched_for_code():
    text = "Sure!\n```python\ndef f(x):\n    return x + 1\n```\nDone."
    assert "return x + 1" in program(PROBLEM, HUMANEVAL, PromptStyle.CHAT, text)


@pytest.mark.parametrize("text", ["", "(" * 5000, "def f(x):\n    return '\0'\n"])
def test_text_that_python_cannot_parse_is_still_a_program_to_judge(text):
    assert isinstance(program(PROBLEM, HUMANEVAL, PromptStyle.CHAT, text), str)
