"""What a server says of one prompt ends that prompt's item, whatever the prompt made it say."""

from typing import Any

import pytest
from engine_doubles import generate_all, make_request
from scripted_server import ScriptedServer, answer, failure

from iterpref_assets.core.engines.openai_answers import read_answer
from iterpref_assets.core.engines.protocol import Completion, FinishReason
from iterpref_assets.core.errors import InputError

TOO_LONG = {
    "Anthropic": failure(
        400, "input length and `max_tokens` exceed context limit: 199000 + 21333 > 200000"
    ),
    "llama.cpp": failure(
        400,
        "the request exceeds the available context size, try increasing it",
        type="exceed_context_size_error",
    ),
    "TGI": {
        "status": 422,
        "body": {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. "
            "Given: 4000 `inputs` tokens and 512 `max_new_tokens`",
            "error_type": "validation",
        },
    },
    "TGI, the prompt alone": failure(
        422, "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000"
    ),
    "Gemini": {
        "status": 400,
        "body": [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (1200000) exceeds the maximum number of "
                    "tokens allowed (1048576).",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
    },
    "Moonshot": failure(400, "Invalid request: Your request exceeded model token limit: 8192"),
    "DashScope": failure(400, "Range of input length should be [1, 6000]"),
    "xAI": failure(400, "This model's maximum prompt length is 8192 but the request has 9000"),
}
WITHHELD = {
    "xAI": {
        "status": 403,
        "body": {
            "code": "The caller does not have permission",
            "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO",
        },
    },
    "a law": failure(451, "Unavailable for legal reasons"),
    "DeepSeek": failure(400, "Content Exists Risk", type="invalid_request_error"),
    "DashScope": failure(
        400, "Input data may contain inappropriate content.", code="data_inspection_failed"
    ),
    "a usage policy": failure(400, "This request violates our usage policies"),
}


def ask(server: ScriptedServer, prompt: str, **options: Any) -> Completion:
    [[completion]] = generate_all(server.engine(**options), [make_request("k", prompt)])
    return completion


@pytest.mark.parametrize("whose", TOO_LONG)
def test_a_prompt_too_long_is_known_in_every_servers_words(
    server: ScriptedServer, whose: str
) -> None:
    server.script = [TOO_LONG[whose]]
    assert server.ask().finish_reason is FinishReason.PROMPT_TOO_LONG


@pytest.mark.parametrize("whose", WITHHELD)
def test_a_prompt_withheld_is_known_in_every_servers_words(
    server: ScriptedServer, whose: str
) -> None:
    server.script = [WITHHELD[whose]]
    assert server.ask().finish_reason is FinishReason.FILTERED


@pytest.mark.parametrize("words", ["unsupported", "unknown field", "is not supported"])
def test_a_complaint_that_repeats_the_prompt_ends_its_item_alone(
    server: ScriptedServer, words: str
) -> None:
    server.script = [failure(400, f"invalid character in: Raise on {words.upper()} input.")]
    completion = ask(server, f"Raise on {words} input.")
    assert completion.finish_reason is FinishReason.REJECTED


def test_a_code_ends_the_run_even_where_the_prompt_has_its_word(server: ScriptedServer) -> None:
    server.script = [failure(400, "unsupported: strict", code="unsupported_parameter")]
    with pytest.raises(InputError, match="unsupported: strict"):
        ask(server, "Raise on unsupported input.")


@pytest.mark.parametrize(
    "told",
    [
        {"retry-after-ms": "abc"},
        {"Retry-After": "soon"},
        {"Retry-After": "99999999999999999999999 Jan 2000 00:00:00"},
        {"Retry-After": "nan"},
    ],
)
def test_a_wait_that_nobody_can_read_is_waited_for_in_growing_steps(
    server: ScriptedServer, told: dict[str, str]
) -> None:
    server.script = [failure(429, "busy", headers=told), answer()]
    assert server.ask().text == "text"
    [slept] = server.slept
    assert 0 < slept <= 30


def test_the_seconds_are_read_where_the_milliseconds_cannot_be(server: ScriptedServer) -> None:
    told = {"retry-after-ms": "abc", "Retry-After": "30"}
    server.script = [failure(429, "busy", headers=told), answer()]
    server.ask()
    assert server.slept == [30]


def test_a_broken_server_is_not_waited_for_longer_than_the_setting_allows(
    server: ScriptedServer,
) -> None:
    server.script = [failure(500, "broken", headers={"Retry-After": "inf"})]
    assert server.ask(max_wait_seconds=70).finish_reason is FinishReason.UNAVAILABLE
    assert server.slept == []


@pytest.mark.parametrize("name", ["type", "code", "param"])
@pytest.mark.parametrize("status", [400, 429])
def test_a_field_of_another_kind_than_text_ends_its_item_alone(
    server: ScriptedServer, status: int, name: str
) -> None:
    server.script = [failure(status, "no", **{name: [{"a": "list"}]})]
    assert server.ask(max_wait_seconds=1).finish_reason in {
        FinishReason.REJECTED,
        FinishReason.UNAVAILABLE,
    }


def test_an_error_within_an_answer_ends_its_item_however_deep() -> None:
    error: Any = "down"
    for _ in range(2000):  # more than Python's limit, wherever the stack stands
        error = [error]
    assert read_answer({"error": error}, max_tokens=10).reason is FinishReason.UNAVAILABLE


def test_half_a_surrogate_pair_in_a_prompt_ends_its_item_alone(server: ScriptedServer) -> None:
    server.script = [answer()]
    good, bad = make_request("a", "Add."), make_request("b", "Print \ud800.")
    [[first, second]] = generate_all(server.engine(), [good, bad])
    assert first.text == "text"
    assert second.finish_reason is FinishReason.REJECTED
    assert "half of a surrogate pair" in second.detail
    assert len(server.asked) == 1


def test_a_prompt_forbidden_by_a_server_that_has_answered_ends_its_item_alone(
    server: ScriptedServer,
) -> None:
    server.script = [answer(), {"status": 403, "raw": "<html>Attack detected</html>"}]
    completion = server.ask(times=2)
    assert completion.finish_reason is FinishReason.REJECTED
    assert "Attack detected" in completion.detail


def test_an_option_is_named_where_the_error_is_bare_text(server: ScriptedServer) -> None:
    server.script = [{"status": 400, "body": {"error": "top_k has to be positive"}}]
    with pytest.raises(InputError, match="Change top_k in extra_body"):
        server.ask(extra_body={"top_k": -3})
