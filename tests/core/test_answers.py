"""The program that an answer holds, however a model puts it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_cases import cases

from iterpref_assets.core import answer_blocks, answers, syntax
from iterpref_assets.core.answers import Answer, NoProgram, defines, read_answer
from iterpref_assets.core.prompts import fenced
from iterpref_assets.core.syntax import parse

CODE = "def f(x):\n    return x"
OLD = "def f(x):\n    return -x"


def program(text: str, entry_point: str = "f") -> str | None:
    return read_answer(text, entry_point).program


@pytest.mark.parametrize("case", cases("answers.jsonl"))
def test_the_shared_answers_hold_the_programs_they_should(case: dict[str, Any]) -> None:
    assert program(case["answer"], case["entry_point"]) == case["program"]


@pytest.mark.parametrize(
    "opener",
    [
        "```", "```python", "```py", "```python3", "```py3", "```python3.11", "```Python",
        "``` python", "```python solution.py", "```python\r", "Here it is: ```python",
        "The new `f`: ```python", "```js",
    ],
)  # fmt: skip
def test_a_block_that_defines_what_is_asked_for_is_the_program(opener: str) -> None:
    assert program(f"{opener}\n{CODE}\n```\nThis explains.") == CODE


@pytest.mark.parametrize("marks", ["````", "~~~"])
def test_a_block_ends_with_the_marks_it_began_with(marks: str) -> None:
    code = f'"""\n```\n"""\n{CODE}'
    assert program(f"{marks}python\n{code}\n{marks}\nThis explains.") == code


def test_of_two_programs_the_last_counts() -> None:
    assert program(f"You sent\n{fenced(OLD)}\nand it should be\n{fenced(CODE)}") == CODE


def test_a_later_block_that_only_uses_the_program_is_passed_over() -> None:
    assert program(f"{fenced(CODE)}\nFor example:\n{fenced('print(f(1))')}") == CODE


@pytest.mark.parametrize("language", ["bash", "sh", "text", "json", "pycon", "python", ""])
def test_an_earlier_block_that_does_not_define_it_is_passed_over(language: str) -> None:
    assert program(f"```{language}\npip install x\n```\nThen:\n{fenced(CODE)}\n") == CODE


def test_a_program_that_imports_or_assigns_the_name_defines_it() -> None:
    assert program(fenced("f = lambda x: x")) == "f = lambda x: x"
    assert defines("try:\n    from m import g as f\nexcept ImportError:\n    pass", "f")


def test_a_name_assigned_from_itself_is_used_and_not_defined() -> None:
    assert not defines("f = f(1)", "f")


@pytest.mark.parametrize(
    "later",
    [
        "```python\nfrom solution import f\nprint(f(1))\n```",
        "```python\nf = f(1)\nprint(f)\n```",
        "```python\ndef f(x):\n```",
        "```ruby\ndef f(x)\n  x\nend\n```",
        "```java\nclass f {\n}\n```",
    ],
    ids=["import", "use", "header", "ruby", "java"],
)
def test_a_later_block_that_defines_it_by_its_look_alone_is_passed_over(later: str) -> None:
    assert program(f"{fenced(CODE)}\nAs in\n{later}") == CODE


def test_a_program_of_another_language_is_none() -> None:
    assert read_answer("```ruby\ndef f(x)\n  x\nend\n```", "f").program is None


@pytest.mark.parametrize("behind", ["", "\n\nThis explains.", "\nThis explains."])
def test_a_fence_that_was_never_opened_ends_the_program(behind: str) -> None:
    assert program(f"{CODE}\n```{behind}") == CODE


@pytest.mark.parametrize(
    ("text", "lack"),
    [
        ("```\nI cannot help with this request.\n```", NoProgram.REFUSAL),
        ("It gives\n```\n6\n```", NoProgram.PROSE),
    ],
)
def test_a_block_without_code_is_no_program(text: str, lack: NoProgram) -> None:
    assert read_answer(text) == Answer(None, lack)


def test_a_nested_function_defines_nothing() -> None:
    assert not defines("def g():\n    def f():\n        pass", "f")


def test_a_program_with_a_syntax_error_is_one_still() -> None:
    code = "def f(x):\n    return (x"
    assert program(f"{fenced('f(1)')}\n{fenced(code)}") == code


def test_where_no_block_defines_it_the_last_of_python_is_the_program() -> None:
    other = "def g(x):\n    return x"
    assert program(f"{fenced(other)}\n```bash\npython g.py\n```") == other


def test_a_script_is_the_last_block_that_is_marked_as_python() -> None:
    text = f"Input:\n```\n3 4\n```\n{fenced('print(input())')}\nOutput:\n```\n7\n```"
    assert program(text, "") == "print(input())"


def test_a_script_in_an_unmarked_block_is_told_by_its_syntax() -> None:
    assert program("```\nprint(1)\n```\nIt prints:\n```\nthe number 1\n```", "") == "print(1)"


def test_a_block_within_a_block_of_markdown_is_the_program() -> None:
    assert program(f"```markdown\nFirst:\n{fenced(CODE)}\n```") == CODE


def test_a_block_that_is_never_closed_goes_to_the_end() -> None:
    assert program(f"Here it is.\n```python3\n{CODE}") == CODE


def test_a_block_begun_twice_is_the_second() -> None:
    assert program(f"```python\n# so:\n```python\n{CODE}\n```") == CODE


def test_prose_behind_the_fence_that_closes_a_block_is_no_program() -> None:
    assert program(f"```python\n{CODE}\n```This uses `x`.\nIt returns it.") == CODE


def test_a_fence_within_a_line_of_the_program_does_not_close_it() -> None:
    code = 'def f():\n    fence = "```"\n    # ```python'
    assert program(fenced(code)) == code


def test_a_fence_in_a_docstring_does_not_close_the_program() -> None:
    code = 'def f(x):\n    """Return it.\n\n    ```\n    f(1)\n    ```\n    """\n    return x'
    assert program(fenced(code)) == code


def test_a_fence_in_a_text_at_the_margin_does_not_close_the_program() -> None:
    code = 'TEXT = """\n```\nx\n```\n"""\n\n\ndef f(x):\n    return TEXT'
    assert program(f"{fenced(code)}\nThat is all.") == code


def test_an_indented_block_loses_its_indentation() -> None:
    text = "1. So:\n\n   ```python\n   def f(x):\n       return x\n   ```\n\n2. Done."
    assert program(text) == CODE


def test_code_within_a_line_of_prose_opens_no_block() -> None:
    assert program(f"Call ```f(1)``` so:\n{fenced(CODE)}") == CODE


@pytest.mark.parametrize("line", ["", "    # fences are ``` here", '    s = "```" + "```json"'])
def test_an_answer_without_a_fence_is_the_program(line: str) -> None:
    code = f"def f(x):\n{line}\n    return x"
    assert program(f"\n{code}\n") == code


def test_prose_around_a_program_without_a_fence_is_left_out() -> None:
    text = f"Here is the function.\n\nimport math\n\n{CODE}\n\nIt returns its argument.\n"
    assert program(text) == f"import math\n\n{CODE}"


def test_headings_cut_nothing() -> None:
    code = f"### helper ###\n{CODE}\n### end"
    assert program(f"### Plan\nReturn it.\n\n{fenced(code)}\n### Notes\nNone.") == code


@pytest.mark.parametrize(
    "prose", ["This returns it.", "### Notes\nIt returns x.", "- It returns x."]
)
def test_prose_right_behind_a_program_without_a_fence_is_left_out(prose: str) -> None:
    found = program(f"{CODE}\n{prose}")
    assert found is not None
    assert found.removesuffix("\n### Notes") == CODE


BROKEN_UP = "def f(x):\n    total = 0\n\n    for i in x:\n        total += i\n\n    return total"


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("[PYTHON]", "[/PYTHON]"),
        ("<answer>", "</answer>"),
        ("", "This runs in O(n) time."),
        ("", "Note that f(x) returns total = 0 for an empty list."),
    ],
)
def test_what_stands_around_a_program_without_a_fence_costs_none_of_its_lines(
    before: str, behind: str
) -> None:
    assert program(f"{before}\n{BROKEN_UP}\n{behind}\n") == BROKEN_UP


def test_prose_behind_a_fence_that_nothing_closes_is_left_out() -> None:
    assert program(f"```python\n{BROKEN_UP}\n\nThis function returns the sum.") == BROKEN_UP


def test_a_program_that_breaks_off_within_a_fence_that_nothing_closes_is_kept_whole() -> None:
    code = "def f(x):\n    total = (1\n\n    return total"
    assert program(f"```python\n{code}") == code


@pytest.mark.parametrize("indent", [" ", "   ", "    "])
def test_blanks_before_a_fence_alone_are_taken_from_no_line(indent: str) -> None:
    assert program(f"{indent}```python\n{BROKEN_UP}\n```") == BROKEN_UP


def test_an_indented_block_is_outdented_but_for_lines_that_are_not_indented() -> None:
    code = 'def f(x):\n    """Doc\nat the margin."""\n    return x'
    shown = "\n".join(line if line.startswith("at") else f"   {line}" for line in code.split("\n"))
    assert program(f"1. Do:\n   ```python\n{shown}\n   ```") == code


@pytest.mark.parametrize("behind", ["", "\nExplanation: it returns the sum."])
def test_a_fence_may_close_on_the_last_line_of_its_program(behind: str) -> None:
    assert program(f"```python\n{BROKEN_UP}```{behind}") == BROKEN_UP


def test_a_fence_within_a_whole_program_closes_nothing() -> None:
    code = f"{BROKEN_UP}\n# ```"
    assert program(f"```python\n{code}") == code


def test_reasoning_is_no_answer() -> None:
    assert program(f"<think>\nPerhaps\n{fenced(OLD)}\n</think>\n{fenced(CODE)}") == CODE


def test_reasoning_that_the_prompt_began_is_no_answer() -> None:
    assert program(f"Perhaps\n{fenced(OLD)}\n</think>\n\n{CODE}") == CODE


def test_a_program_before_reasoning_without_an_end_is_the_answer() -> None:
    assert program(f"{fenced(CODE)}\n<think>\nNow\n{fenced(OLD)}") == CODE


@pytest.mark.parametrize(
    "token",
    [
        "<|endoftext|>",
        "<|im_end|>",
        "</s>",
        "<|eot_id|>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
    ],
)
def test_what_follows_an_end_of_text_token_is_another_text(token: str) -> None:
    assert program(f"{fenced(CODE)}{token}\n{fenced(OLD)}") == CODE


def test_a_special_token_that_the_program_holds_stays() -> None:
    code = 'def f(text):\n    return text.split("<|endoftext|>")'
    assert program(fenced(code)) == code


@pytest.mark.parametrize("end", ["</s>", "<|im_end|>"])
def test_a_token_in_a_line_of_the_program_ends_nothing(end: str) -> None:
    code = f'def f(x):\n    x = x[:-4]  # without {end}\n    return """\n{end}\n"""'
    assert program(fenced(code)) == code
    assert program(code) == code


@pytest.mark.parametrize("behind", ["", "\n<|im_start|>user\nAnd now?\n" + fenced(OLD)])
def test_a_token_ends_a_block_that_is_not_closed(behind: str) -> None:
    assert program(f"```python\n{CODE}<|im_end|>{behind}") == CODE


@pytest.mark.parametrize(
    ("text", "lack"),
    [
        ("", NoProgram.EMPTY),
        ("<think>\nHm.\n</think>\n", NoProgram.EMPTY),
        ("I'm sorry, but I can't help with that.", NoProgram.REFUSAL),
        ("Sorry", NoProgram.REFUSAL),
        ("The function adds where it should multiply.", NoProgram.PROSE),
        ("Run this:\n```bash\npip install nothing\n```", NoProgram.PROSE),
        ("<think>\nLet me see. The", NoProgram.CUT_OFF),
    ],
)
def test_an_answer_without_a_program_says_why(text: str, lack: NoProgram) -> None:
    assert read_answer(text, "f") == Answer(None, lack)


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{CODE}",
        CODE,
        "The first step is to",
        f"{fenced('f(1)')}\n```python\n{CODE}",
        f"{fenced(OLD)}\nCorrected:\n```python\nimport math",
        "",
    ],
)
def test_a_program_that_was_cut_off_is_none(text: str) -> None:
    assert read_answer(text, "f", cut_off=True) == Answer(None, NoProgram.CUT_OFF)


def test_a_program_that_was_complete_before_the_cut_is_the_answer() -> None:
    text = f"{fenced(CODE)}\nFor example:\n```python\nprint(f("
    assert read_answer(text, "f", cut_off=True).program == CODE


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_read(end: str) -> None:
    assert program(fenced(CODE).replace("\n", end)) == CODE


LINES = st.sampled_from(
    [
        "def f(x):",
        "    return x",
        "```",
        "```python",
        "x = 1",
        '"""',
        "Hello.",
        "<think>",
        "</think>",
        "",
    ]
)


@given(st.lists(LINES).map("\n".join), st.booleans())
def test_any_text_has_a_program_or_a_lack(text: str, cut_off: bool) -> None:
    answer = read_answer(text, "f", cut_off=cut_off)
    assert (answer.program is None) == (answer.lack is not None)


@given(st.text(alphabet="ab \n(=):`<>#", max_size=60))
def test_what_is_fenced_here_is_found_again_if_it_is_python(body: str) -> None:
    code = f"def f():\n    pass\n\n{body}".strip("\n")
    try:
        compile(code, "", "exec")
    except SyntaxError:
        return
    assert program(fenced(code)) == code


def calls_of(name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a function that reads answers is called with from now on."""
    seen: list[str] = []
    real = getattr(syntax, name)
    for module in (answers, answer_blocks):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, lambda code: seen.append(code) or real(code))
    return seen


def test_an_answer_of_nothing_but_fences_is_not_parsed_for_each_pair_of_them(monkeypatch) -> None:
    parsed = calls_of("parse", monkeypatch)
    assert program("```\nx = y z\n```\n" * 200) == "x = y z"
    # A block is tried at 20 lines at most; it is parsed four times more where one is chosen.
    assert 200 <= len(parsed) <= 200 * (20 + 4)


def test_prose_behind_code_is_cut_off_at_once(monkeypatch) -> None:
    tried = calls_of("error_line", monkeypatch)
    text = f"{CODE}\n\n" + "This is prose.\n\n" * 200
    assert program(text) == CODE
    assert tried == [text, f"{CODE}\n\n"]


@given(st.lists(st.sampled_from([CODE, "x = (1,", "2)", '"""', "try:\n    x", "if x:", "It is."])))
def test_what_is_left_before_prose_is_all_that_can_be_python(paragraphs: list[str]) -> None:
    longest = next(
        "\n\n".join(paragraphs[:count])
        for count in range(len(paragraphs), -1, -1)
        if parse("\n\n".join(paragraphs[:count])) is not None
    )
    assert answers._before_prose("\n\n".join(paragraphs)).strip() == longest.strip()


@pytest.mark.parametrize(
    "before", ["<|assistant|>\n", "<|im_start|>assistant\n", " <|assistant|> "]
)
def test_a_token_before_the_answer_is_no_end_of_it(before: str) -> None:
    assert read_answer(f"{before}```python\nx = 1\n```<|im_end|>").program == "x = 1"
