"""Servers that fail in every way known: one item ends, or the run is told what is wrong."""

import logging
import re
from typing import Any

import pytest
from scripted_server import CLOSE, SLOW, ScriptedServer, answer, failure

from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.errors import InputError

FILTER = "The response was filtered due to the prompt triggering our content management policy"
CONTEXT = "This model's maximum context length is 8 tokens. However, you requested 9 tokens"


@pytest.mark.parametrize(
    ("bad", "ends_as"),
    [
        (failure(400, FILTER, code="content_filter", param="prompt"), FinishReason.FILTERED),
        (failure(403, "Your input was flagged by moderation"), FinishReason.FILTERED),
        (failure(400, CONTEXT, param="messages"), FinishReason.PROMPT_TOO_LONG),
        (failure(400, "no", code="context_length_exceeded"), FinishReason.PROMPT_TOO_LONG),
        (failure(400, "prompt is too long: 9 tokens > 8"), FinishReason.PROMPT_TOO_LONG),
        (failure(400, "max_tokens must be at least 1, got -44"), FinishReason.PROMPT_TOO_LONG),
        ({"status": 413, "raw": "<html>large</html>"}, FinishReason.PROMPT_TOO_LONG),
        (failure(400, "invalid character in messages[0]"), FinishReason.REJECTED),
        (failure(400, "no", param=["messages", 0]), FinishReason.REJECTED),
        ({"status": 200, "raw": "[" * 100_000}, FinishReason.UNAVAILABLE),
        ({"status": 422, "body": {"detail": [{"msg": "no"}]}}, FinishReason.REJECTED),
        (failure(500, "CUDA error"), FinishReason.UNAVAILABLE),
        ({"status": 200, "raw": '{"choices": [{"ind'}, FinishReason.UNAVAILABLE),
        (answer(choices=[]), FinishReason.UNUSABLE),
        (answer(choices=None), FinishReason.UNUSABLE),
        (answer(choices=[{"index": 0}]), FinishReason.UNUSABLE),
        (answer(content=None), FinishReason.UNUSABLE),
        (answer(content=None, reasoning_content="Hm."), FinishReason.UNUSABLE),
        (answer(content=None, refusal="I cannot help."), FinishReason.REFUSED),
        (answer(choices=[], error={"message": "upstream is down"}), FinishReason.UNAVAILABLE),
        (answer(choices=[], error={"code": "content_filter"}), FinishReason.FILTERED),
        (answer(choices=[], error={"code": "429"}), FinishReason.UNAVAILABLE),
        (answer(content="", finish_reason="abort"), FinishReason.UNAVAILABLE),
        (failure(400, "stop_count=200 is too large"), FinishReason.REJECTED),
        (SLOW, FinishReason.UNAVAILABLE),
    ],
)
def test_a_bad_answer_ends_its_item_alone(
    server: ScriptedServer, bad: Any, ends_as: FinishReason
) -> None:
    server.script = [bad]
    completion = server.ask(max_attempts=2, max_wait_seconds=2, timeout_seconds=0.5)
    assert (completion.finish_reason, completion.text) == (ends_as, "")
    assert completion.detail


@pytest.mark.parametrize(
    "passing",
    [
        failure(429, "busy"),
        failure(500, "broken"),
        failure(503, "starting"),
        {"status": 502, "raw": "<html>bad gateway</html>", "headers": {}},
        {"status": 200, "raw": '{"choices": [{"ind'},
        answer(choices=[], error={"message": "busy", "code": 429}),
        answer(choices=[], error={"message": "upstream is down"}),
        answer(content="def", finish_reason="error"),
        CLOSE,
    ],
)
def test_a_failure_that_passes_leaves_no_trace(server: ScriptedServer, passing: Any) -> None:
    server.script = [passing, answer()]
    assert server.ask().text == "text"
    assert len(server.asked) == 2


def test_a_broken_server_is_tried_as_often_as_it_says(server: ScriptedServer) -> None:
    server.script = [failure(500, "broken")]
    server.ask(max_attempts=3)
    assert len(server.asked) == 3


@pytest.mark.parametrize("headers", [{"Retry-After": "30"}, {"retry-after-ms": "30000"}])
def test_a_server_that_asks_to_wait_is_waited_for(
    server: ScriptedServer, headers: dict[str, str]
) -> None:
    server.script = [failure(429, "try again in 30 s", headers=headers)] * 3 + [answer()]
    assert server.ask(max_attempts=1).text == "text"
    assert server.slept == [30, 30, 30]


def test_the_wait_is_told_in_one_line(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    busy = failure(429, "try again in 30 s", headers={"Retry-After": "30"})
    server.script = [busy, busy, answer()]
    with caplog.at_level(logging.WARNING, "iterpref"):
        server.ask()
    [line] = [record.getMessage() for record in caplog.records]
    assert re.search(r"429: .*try again in 30 s.*asks to wait: waiting 30\.0 s", line)


def test_a_server_is_not_waited_for_longer_than_the_setting_allows(server: ScriptedServer) -> None:
    server.script = [failure(503, "later", headers={"Retry-After": "30"})]
    assert server.ask(max_wait_seconds=70).finish_reason is FinishReason.UNAVAILABLE
    assert server.slept == [30, 30]


def test_a_server_that_asks_for_no_wait_at_all_is_not_asked_forever(server: ScriptedServer) -> None:
    server.script = [failure(503, "later", headers={"Retry-After": "0"})]
    assert server.ask(max_wait_seconds=2).finish_reason is FinishReason.UNAVAILABLE
    assert sum(server.slept) <= 2


def test_a_server_that_goes_away_after_an_answer_is_waited_for(server: ScriptedServer) -> None:
    server.script = [answer(), *[CLOSE] * 4, answer()]
    assert server.ask(times=2, max_attempts=1).text == "text"
    assert len(server.slept) == 4


def test_an_answer_that_says_it_is_busy_is_waited_for_as_a_status_is(
    server: ScriptedServer,
) -> None:
    busy = answer(choices=[], error={"message": "try later", "code": 429})
    server.script = [*[busy] * 4, answer()]
    assert server.ask(max_attempts=1).text == "text"
    assert len(server.slept) == 4


def test_a_server_that_is_too_slow_is_told_with_the_settings_to_change(
    server: ScriptedServer,
) -> None:
    server.script = [SLOW]
    detail = server.ask(max_attempts=1, timeout_seconds=0.2).detail
    assert detail.startswith("no answer within timeout_seconds: lower max_in_flight")


def test_a_server_that_never_answered_stops_the_run(server: ScriptedServer) -> None:
    server.close()
    with pytest.raises(InputError, match="did not generate: Connection error") as caught:
        server.ask(max_attempts=2)
    assert caught.value.file == server.url


def test_a_server_that_is_not_there_is_told_by_its_address(server: ScriptedServer) -> None:
    server.close()
    with pytest.raises(InputError, match="Start it, or correct its address") as caught:
        server.ask(max_attempts=2)
    assert caught.value.field == "base_url"


def test_a_server_that_breaks_before_any_answer_and_ends_is_told_by_what_it_said(
    server: ScriptedServer,
) -> None:
    """As vLLM does on a CPU, where it splits a prompt that has a seed."""
    server.script = [failure(500, "EngineCore encountered an issue"), CLOSE]
    with pytest.raises(InputError) as caught:
        server.ask(max_attempts=2)
    assert "before that it answered 500: EngineCore encountered an issue" in str(caught.value)
    assert "Its log says why it ended" in str(caught.value)
    assert "docs/SERVERS.md" in str(caught.value)


def test_a_server_that_breaks_after_an_answer_and_ends_fails_the_item_with_what_it_said(
    server: ScriptedServer,
) -> None:
    server.script = [answer(), failure(500, "EngineCore encountered an issue"), CLOSE]
    completion = server.ask(times=2, max_wait_seconds=2)
    assert completion.finish_reason is FinishReason.UNAVAILABLE
    assert "before that it answered 500: EngineCore encountered an issue" in completion.detail


def test_what_a_server_said_before_an_answer_is_not_told_of_its_end(
    server: ScriptedServer,
) -> None:
    server.script = [failure(500, "EngineCore encountered an issue"), answer(), CLOSE]
    completion = server.ask(times=2, max_wait_seconds=2)
    assert completion.finish_reason is FinishReason.UNAVAILABLE
    assert "before" not in completion.detail


@pytest.mark.parametrize(
    ("bad", "said", "field", "remedy"),
    [
        (failure(401, "bad key"), "bad key", "api_key_env", "export MY_KEY="),
        (failure(403, "no access"), "no access", "api_key_env", "export MY_KEY="),
        (failure(404, "no such model"), "no such model", "model", "serves the-model there"),
        (
            failure(429, "You exceeded your quota", code="insufficient_quota"),
            "quota", None, "quota",
        ),
        (failure(405, "method not allowed"), "not allowed", None, "what it complains of"),
    ],
)  # fmt: skip
def test_what_every_item_would_meet_stops_the_run_at_once_and_names_its_cause(
    server: ScriptedServer, bad: Any, said: str, field: str | None, remedy: str
) -> None:
    server.script = [bad]
    with pytest.raises(InputError, match=said) as caught:
        server.ask(api_key_env="MY_KEY")
    assert len(server.asked) == 1
    assert caught.value.field == field
    assert remedy in caught.value.remedy


def test_a_key_that_is_set_and_refused_is_to_be_corrected(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "old")
    server.script = [failure(401, "bad key")]
    with pytest.raises(InputError, match="Correct what MY_KEY holds"):
        server.ask(api_key_env="MY_KEY")


def test_the_option_that_renames_a_model_is_named_where_it_does(server: ScriptedServer) -> None:
    server.script = [failure(404, "the model does not exist")]
    with pytest.raises(InputError, match="serves alias there") as caught:
        server.ask(served_model="alias")
    assert caught.value.field == "served_model"


@pytest.mark.parametrize(
    ("parameter", "message", "field", "remedy"),
    [
        (
            "max_tokens",
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            "max_tokens_parameter",
            '"max_completion_tokens"',
        ),
        ("temperature", "Unsupported value: 'temperature' must be 1", "omit", '"temperature"'),
        ("reasoning_effort", "Unknown parameter", "reasoning_effort", "leave it out"),
        ("top_k", "Unrecognized request argument supplied: top_k", "extra_body", "top_k"),
        (None, "Unrecognized request argument supplied: top_k", "extra_body", "top_k"),
        (None, "('body', 'top_k'): Input should be a valid integer", "extra_body", "top_k"),
        (None, "Invalid max_tokens value, the range is [1, 8192]", "max_tokens", "Change max_"),
        ("temperature", "Expected a value <= 1, but got 1.2", "temperature", "Change temp"),
        ("seed", "Expected a value <= 100", "omit", 'Add "seed"'),
    ],
)
def test_a_refused_parameter_is_named_with_the_option_that_changes_it(
    server: ScriptedServer, parameter: str | None, message: str, field: str, remedy: str
) -> None:
    server.script = [failure(400, message, param=parameter)]
    with pytest.raises(InputError) as caught:
        server.ask(reasoning_effort="low", extra_body={"top_k": 3})
    assert caught.value.field == field
    assert remedy in caught.value.remedy


def test_a_prompt_that_is_repeated_in_the_complaint_names_no_option(server: ScriptedServer) -> None:
    server.script = [failure(400, "invalid character after 'Add'")]
    completion = server.ask(extra_body={"Add": 1})  # the prompt is "Add."
    assert completion.finish_reason is FinishReason.REJECTED


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {"Content-Type": "text/plain"}])
def test_a_web_page_is_called_a_web_page(server: ScriptedServer, headers: dict[str, str]) -> None:
    server.script = [{"status": 200, "headers": headers, "raw": "<html>\nSign in</html>"}]
    with pytest.raises(InputError, match="answers with a web page: '<html> Sign in") as caught:
        server.ask()
    assert caught.value.file == server.url
    assert "\n" not in str(caught.value)


def test_a_page_from_a_server_that_has_answered_ends_its_item_alone(server: ScriptedServer) -> None:
    page = {"status": 200, "headers": {"Content-Type": "text/html"}, "raw": "<html>Soon</html>"}
    server.script = [answer(), page]
    completion = server.ask(times=2, max_attempts=2)
    assert completion.finish_reason is FinishReason.UNAVAILABLE
    assert "Soon" in completion.detail


def test_json_that_calls_itself_text_is_read(server: ScriptedServer) -> None:
    server.script = [answer() | {"headers": {"Content-Type": "text/plain"}}]
    assert server.ask().text == "text"
