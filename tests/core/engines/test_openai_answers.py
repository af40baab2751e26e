"""Whatever a server sends is read as something, and no reading raises."""

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.engines.openai_answers import failure_of, read_answer
from iterpref_assets.core.engines.protocol import FAILED, FinishReason

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def either(*likely: Any) -> st.SearchStrategy[Any]:
    """What servers send there, or anything at all."""
    return st.sampled_from(likely) | JSON


MESSAGES = st.fixed_dictionaries(
    {}, optional={"content": either("text", None, [{"text": "t"}]), "refusal": either("no", None)}
)
CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "finish_reason": either("stop", "length", None, "tool_calls"),
        "message": MESSAGES | JSON,
        "text": either("text"),
    },
)
USAGE = st.fixed_dictionaries(
    {}, optional={"prompt_tokens": either(5), "completion_tokens": either(5, -1, 2**40)}
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(CHOICES | JSON, max_size=2) | JSON,
        "usage": USAGE | JSON,
        "model": either("m"),
        "error": either({"message": "busy"}),
    },
)


@given(BODIES)
def test_every_object_is_an_answer_or_a_failure_that_says_why(body: dict[str, Any]) -> None:
    answer = read_answer(body, max_tokens=10)
    assert isinstance(answer.text, str)
    assert bool(answer.detail) >= (answer.reason in FAILED - {FinishReason.FILTERED})


@given(BODIES)
def test_a_table_can_hold_every_count(body: dict[str, Any]) -> None:
    answer = read_answer(body, max_tokens=10)
    counts = [answer.prompt_tokens, answer.completion_tokens]
    assert pl.Series(counts, dtype=pl.Int32, strict=True).to_list() == counts


@given(st.integers(100, 599), JSON)
def test_every_refusal_is_the_items_or_the_runs(status: int, error: Any) -> None:
    assert failure_of(status, error) in {None, *FAILED}
