import random

import pytest
from evalplus import sanitize as theirs

from iterpref_assets.core.evaluation.plus import sanitizing
from iterpref_assets.core.evaluation.plus.sanitizing import longest_code, sanitized

LINES = (
    "", "    ", "a = 1", "    return a", "def f(x):", "class A:", "Here is the code:", "```python",
    "```", "if x:", "    if x:", "        pass", "else:", "(", ")", "b = [", "]", "    1,", '"""',
    "'''text'''", "c = 'open", "d = 1 \\", "# comment", "@f", "    # indented", "try:", "finally:",
    "import os", "from os import path", "\tpass", "e = f'{a}'", "e = f'{a b}'", "for i in x: pass",
    "match a:", "    case 1:", "lambda: (yield)", "x = {1: 2", "}", "return", "async def g():",
    "\x0c", "\u3000", "é = 2", "$", "a b", "print 'x'", "    def m(self): return f(1)",
)  # fmt: skip


def texts():
    draw = random.Random(0)
    for _ in range(1500):
        yield "\n".join(draw.choices(LINES, k=draw.randint(1, 9)))


@pytest.mark.parametrize(
    "text",
    ["", "\n", "\n\na = 1\n\nb = 2\n\n", "a = 1\nso\nb = 2", "so\n\n\n", " \n \n", "\r\na = 1\r\n"],
)
def test_the_longest_code_of_short_texts_is_evalpluss(text):
    assert longest_code(text) == theirs.code_extract(text)


def test_the_longest_code_of_drawn_lines_is_evalpluss():
    for text in texts():
        assert longest_code(text) == theirs.code_extract(text), text


def test_what_is_kept_of_drawn_lines_is_what_evalplus_keeps():
    for text in texts():
        assert sanitized(text, "f") == theirs.sanitize(text, "f"), text


def test_evalpluss_own_sanitizer_is_left_as_it_is():
    before = theirs.code_extract
    sanitized("a = 1", "f")
    assert theirs.code_extract is before


@pytest.fixture
def parsed(monkeypatch):
    """The texts that are parsed."""
    seen, parse = [], sanitizing._parse

    def counting(code):
        seen.append(code)
        return parse(code)

    monkeypatch.setattr(sanitizing, "_parse", counting)
    return seen


@pytest.mark.parametrize(
    "lines",
    [
        ["a = 1"] * 400,
        ["It is so."] * 400,
        ["a = 1"] * 200 + ["It is so."] + ["a = 1"] * 200,
        ["def f(x):"] + ["    x += 1"] * 400 + ["    return ("],
    ],
    ids=["code", "prose", "both", "cut off"],
)
def test_the_lines_of_a_text_are_parsed_a_few_times_each(parsed, lines):
    longest_code("\n".join(lines))
    assert len(parsed) < 12 * len(lines)


def test_a_text_that_cannot_be_encoded_is_refused_wherever_that_is():
    with pytest.raises(UnicodeEncodeError):
        longest_code("It is so.\n" * 20 + "a = '\ud800'")
