"""The program that an answer holds, in whatever fences a model puts it."""

import pytest

from iterpref_assets.core.prompts import extract_code, fenced

CODE = "def f(x):\n    return x"


@pytest.mark.parametrize(
    "opener",
    [
        "```", "```python", "```py", "```python3", "```py3", "```python3.11", "```Python",
        "``` python", "```python solution.py", "````python", "```python\r", "Here it is: ```python",
        "The new `f`: ```python",
    ],
)  # fmt: skip
def test_a_block_of_python_or_of_no_named_language_is_the_program(opener: str) -> None:
    assert extract_code(f"{opener}\n{CODE}\n```\nThis explains.") == CODE


@pytest.mark.parametrize("language", ["bash", "sh", "text", "json", "pycon"])
def test_a_block_of_another_language_before_the_program_is_passed_over(language: str) -> None:
    assert extract_code(f"```{language}\npip install x\n```\nThen:\n{fenced(CODE)}\n") == CODE


def test_of_two_blocks_of_python_the_first_is_the_program() -> None:
    assert extract_code(f"{fenced(CODE)}\nFor example:\n{fenced('print(f(1))')}") == CODE


def test_a_block_without_a_language_before_one_of_python_is_the_program() -> None:
    assert extract_code(f"```\n{CODE}\n```\nFor example:\n{fenced('print(f(1))')}") == CODE


def test_without_a_block_of_python_the_first_of_another_language_is_the_program() -> None:
    assert extract_code(f"```js\n{CODE}\n```\n```bash\nnode f.js\n```") == CODE


def test_a_block_within_a_block_of_markdown_is_the_program() -> None:
    assert extract_code(f"```markdown\nFirst:\n{fenced(CODE)}\n```") == CODE


def test_a_block_that_is_never_closed_goes_to_the_end() -> None:
    assert extract_code(f"Here it is.\n```python3\n{CODE}") == CODE


def test_prose_behind_the_fence_that_closes_a_block_is_no_program() -> None:
    assert extract_code(f"```python\n{CODE}\n```This uses `x`.\nIt returns it.") == CODE


def test_a_fence_within_a_line_of_the_program_does_not_close_it() -> None:
    code = 'fence = "```"\n    # ```python'
    assert extract_code(fenced(code)) == code


def test_code_within_a_line_of_prose_opens_no_block() -> None:
    assert extract_code(f"Call ```f(1)``` so:\n{fenced(CODE)}") == CODE


@pytest.mark.parametrize("line", ["", "    # fences are ``` here", '    s = "```" + "```json"'])
def test_an_answer_without_a_fence_is_the_program(line: str) -> None:
    code = f"def f(x):\n{line}\n    return x"
    assert extract_code(f"\n{code}\n") == code


def test_a_fence_after_which_nothing_comes_opens_no_block() -> None:
    assert extract_code(f"{CODE}\n```") == f"{CODE}\n```"


def test_what_is_fenced_here_is_found_again() -> None:
    assert extract_code(fenced(CODE)) == CODE
