"""The longest part of a text that is Python, found as evalplus finds it, with fewer parses."""

import evalplus.sanitize
import pytest
from answer_texts import answer_texts
from hypothesis import example, given

from iterpref_assets.core.evaluation import longest_code as module
from iterpref_assets.core.evaluation.longest_code import longest_code
from iterpref_assets.core.syntax import completeness


@given(answer_texts())
@example("(\n1\n)")
@example('x = """\na b\n"""')
@example("x = 1\n\0\nx = 2\nx = 3")
@example("\0")
def test_the_part_is_the_one_that_evalplus_finds(text):
    assert said(longest_code, text) == said(evalplus.sanitize.code_extract, text)


def said(extract, text):
    """What comes of a text: a part of it, or that it cannot be encoded."""
    try:
        return extract(text)
    except UnicodeEncodeError:
        return UnicodeEncodeError


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Here it is:\nx = 1\ny = 2\nand so on.", "x = 1\ny = 2"),
        ("x = 1\n\n\na b\nx = 2\ny = 3\nz = 4\n", "x = 2\ny = 3\nz = 4"),
        ("x = 1\ny = 2\na b\nx = 3\ny = 4", "x = 1\ny = 2"),
        ("x = [\n1,\n]\nlast words", "x = [\n1,\n]"),
        ("no code", "no code"),
        ("no code\nin two lines", "no code"),
        ("", ""),
    ],
)
def test_most_filled_lines_win_and_of_equals_the_first(text, part):
    assert longest_code(text) == part


@pytest.mark.parametrize(
    ("text", "parses"),
    [
        # From the first line on, two to five lines; no later start has five left.
        ("\n".join(["x = 1"] * 5), 4),
        # From each line but the last, two lines, which no third can put right.
        ("\n".join(["a b"] * 5), 4),
        # Two to four lines from the first, since any may close it; then two lines and three.
        ("x = (\n1,\n2,\n3", 5),
        # Two lines from the first; the blank ones behind add nothing, nor do those before.
        ("x = 1\ny = 2\n\n\n", 1),
    ],
)
def test_lines_that_cannot_be_the_longest_are_not_parsed(monkeypatch, text, parses):
    parsed = []

    def counted(code):
        parsed.append(code)
        return completeness(code)

    monkeypatch.setattr(module, "completeness", counted)
    longest_code(text)
    assert len(parsed) == parses


def test_a_looping_answer_of_thousands_of_lines_is_cut_to_its_program():
    program = "def f(x):\n    return x"
    assert longest_code(program + "\nIt adds one to it." * 5000) == program
