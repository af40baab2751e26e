"""What the client sends, and what it makes of ordinary answers."""

from typing import Any

import pytest
from scripted_server import ScriptedServer, answer

from iterpref_assets.core.engines.protocol import Completion, FinishReason


def test_the_seed_and_the_sampling_reach_the_server(server: ScriptedServer) -> None:
    server.script = [answer()]
    assert server.ask() == Completion("k", "text", 5, 2, FinishReason.STOP, 42)
    assert server.asked == [
        {
            "model": "the-model",
            "messages": [{"role": "user", "content": "Add."}],
            "seed": 42,
            "temperature": 0.7,
            "top_p": 0.9,
            "max_tokens": 11,
        }
    ]


@pytest.mark.parametrize(
    ("options", "sent", "left_out"),
    [
        (
            {"max_tokens_parameter": "max_completion_tokens"},
            {"max_completion_tokens": 11},
            "max_tokens",
        ),
        ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}, None),
        ({"extra_body": {"top_k": 1, "a": {"b": [2]}}}, {"top_k": 1, "a": {"b": [2]}}, None),
        ({"omit": ("temperature", "top_p")}, {"seed": 42}, "temperature"),
        ({"served_model": "alias"}, {"model": "alias"}, None),
    ],
)
def test_a_setting_decides_what_a_request_holds(
    server: ScriptedServer, options: dict[str, Any], sent: dict[str, Any], left_out: str | None
) -> None:
    server.script = [answer()]
    server.ask(**options)
    [asked] = server.asked
    assert {name: asked[name] for name in sent} == sent
    assert left_out not in asked


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.FILTERED),
        ("SAFETY", FinishReason.FILTERED),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("eos_token", FinishReason.STOP),
        ("a new word", FinishReason.STOP),
        ("refusal", FinishReason.REFUSED),
        ("tool_calls", FinishReason.UNUSABLE),
        ("abort", FinishReason.UNAVAILABLE),
    ],
)
def test_the_finish_reason_is_kept(
    server: ScriptedServer, told: str, expected: FinishReason
) -> None:
    server.script = [answer(finish_reason=told)]
    assert server.ask().finish_reason is expected


def test_an_answer_as_long_as_allowed_that_gives_no_reason_was_cut_off(
    server: ScriptedServer,
) -> None:
    server.script = [answer(finish_reason=None, usage={"completion_tokens": 11})]
    assert server.ask().finish_reason is FinishReason.LENGTH


def test_tokens_that_are_not_counted_are_unknown_not_none_at_all(server: ScriptedServer) -> None:
    server.script = [answer(usage=None)]
    completion = server.ask()
    assert (completion.prompt_tokens, completion.completion_tokens) == (None, None)
    assert completion.text == "text"


def test_text_in_parts_is_put_together(server: ScriptedServer) -> None:
    server.script = [answer(content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])]
    assert server.ask().text == "ab"


def test_another_model_than_was_asked_for_is_named(server: ScriptedServer) -> None:
    server.script = [answer(model="the-model-2026-01-01")]
    assert server.ask().answered_by == "the-model-2026-01-01"


def test_the_description_does_not_tell_the_address(server: ScriptedServer) -> None:
    description = server.engine().description
    assert "the-model" in description
    assert "127.0.0.1" not in description
