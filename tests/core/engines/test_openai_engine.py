"""The client against a server on this machine that answers from a script."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from engine_doubles import generate_all, make_request

from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Sampling
from iterpref_assets.core.errors import InputError


def answer(reason: str | None = "stop") -> tuple[int, dict[str, Any]]:
    message = {"role": "assistant", "content": "text"}
    return 200, {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": reason, "message": message}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }


class Server:
    """Gives the scripted answers in order and keeps what it was asked."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.asked.append(json.loads(self.rfile.read(length)))
                status, body = outer.script.pop(0)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.http.serve_forever, daemon=True).start()
    yield server
    server.http.shutdown()
    server.http.server_close()


def ask(server: Server, max_attempts: int = 3) -> Completion:
    config = OpenAIConfig(base_url=server.url, max_attempts=max_attempts)
    sampling = Sampling(0.7, 0.9, 11)
    request = make_request("k", "Add.", seed=42, sampling=sampling)
    return generate_all(open_engine(config, "the-model"), [request])[0][0]


def test_the_seed_and_the_sampling_reach_the_server(server: Server) -> None:
    server.script = [answer()]
    assert ask(server) == Completion("k", "text", 5, 2, FinishReason.STOP, 42)
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
    ("reason", "expected"),
    [("length", FinishReason.LENGTH), ("content_filter", FinishReason.FILTERED)],
)
def test_the_finish_reason_is_kept(server: Server, reason: str, expected: FinishReason) -> None:
    server.script = [answer(reason)]
    assert ask(server).finish_reason is expected


@pytest.mark.parametrize("reason", ["tool_calls", "abort", None])
def test_an_answer_that_did_not_end_as_text_is_named_with_the_server(
    server: Server, reason
) -> None:
    server.script = [answer(reason)]
    with pytest.raises(InputError, match=re.escape(repr(reason))) as caught:
        ask(server)
    assert caught.value.file == server.url


@pytest.mark.parametrize(
    ("changes", "named"), [({"choices": []}, "choices"), ({"usage": None}, "usage")]
)
def test_an_answer_without_what_is_recorded_of_it_is_named_with_the_server(
    server: Server, changes: dict[str, Any], named: str
) -> None:
    status, body = answer()
    server.script = [(status, body | changes)]
    with pytest.raises(InputError, match=named) as caught:
        ask(server)
    assert caught.value.file == server.url


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_may_pass_is_tried_again(server: Server, status: int) -> None:
    server.script = [(status, {"error": {"message": "busy"}}), answer()]
    assert ask(server).text == "text"


def test_a_server_that_stays_busy_stops_the_run_after_max_attempts(server: Server) -> None:
    server.script = [(503, {"error": {"message": "busy"}})] * 2
    with pytest.raises(InputError, match="did not generate"):
        ask(server, max_attempts=2)
    assert len(server.asked) == 2


def test_a_refused_key_is_not_tried_again(server: Server) -> None:
    server.script = [(401, {"error": {"message": "bad key"}})]
    with pytest.raises(InputError, match="bad key"):
        ask(server)


def test_a_prompt_beyond_the_context_is_answered_without_text(server: Server) -> None:
    text = "This model's maximum context length is 8 tokens. However, you requested 9 tokens"
    server.script = [(400, {"error": {"message": text}})]
    assert ask(server) == Completion("k", "", 0, 0, FinishReason.PROMPT_TOO_LONG, 42)
