"""What a model thinks before it answers is no answer."""

import pytest

from iterpref_assets.core.reasoning import opened_by, without_reasoning


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>a</think>b", "b"),
        ("<think>\na\n</think>\n\nb", "\n\nb"),
        ("<thinking>a</thinking>b", "b"),
        ("a\n</think>\nb", "\nb"),
        ("before\n<think>a", "before\n"),
        ("<think>a", None),
        ("<think>a</think>b\n<think>c</think>d", "b\nd"),
        ("no reasoning, x < think > y", "no reasoning, x < think > y"),
        ("say `<think>` here", "say `<think>` here"),
        ("a\n</think> b", " b"),
        ("Okay. <think>a</think>b", "Okay. b"),
        ("<Think>a</Think>b", "b"),
        ("<think effort='high'>a</think>b", "b"),
        ("<think>I close it by `</think>` then</think>b", "b"),
        ("if text == '</think>':", "if text == '</think>':"),
        ("", ""),
    ],
)
def test_reasoning_is_taken_out(text: str, left: str | None) -> None:
    assert without_reasoning(text) == left


@pytest.mark.parametrize(
    ("prompt", "opened"),
    [
        ("<|assistant|><think>\n", "<think>\n"),
        ("<|assistant|><Think>", "<Think>"),
        ("<think>a</think>", ""),
        ("<|assistant|>", ""),
        ("<think> is a tag", ""),
    ],
)
def test_reasoning_that_the_prompt_opens_is_found(prompt: str, opened: str) -> None:
    assert opened_by(prompt) == opened
