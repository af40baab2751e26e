"""A failure reaches a webhook, tried again where that helps, and its URL stays secret."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tenacity import wait_none

from iterpref_assets.operations import webhook
from iterpref_assets.operations.webhook import ATTEMPTS, WebhookError, post

SECRET = "token-that-nobody-may-see"


class Chat:
    """A webhook on this machine that answers with these HTTP statuses, the last for good."""

    def __init__(self, statuses: list[int]) -> None:
        self.received: list[dict] = []
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                chat.received.append(json.loads(content))
                self.send_response(statuses[min(len(chat.received), len(statuses)) - 1])
                self.end_headers()

            def log_message(self, *_arguments: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"


@pytest.fixture
def chat_of(monkeypatch: pytest.MonkeyPatch) -> Iterator:
    monkeypatch.setattr(webhook._post.retry, "wait", wait_none())
    servers = []

    def start(*statuses: int) -> Chat:
        chat = Chat(list(statuses))
        servers.append(chat.server)
        threading.Thread(target=chat.server.serve_forever, daemon=True).start()
        return chat

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_message_is_posted_as_text(chat_of) -> None:
    chat = chat_of(200)
    post(chat.url, "it failed")
    assert chat.received == [{"text": "it failed"}]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_tried_again(chat_of, status: int) -> None:
    chat = chat_of(status, status, 200)
    post(chat.url, "it failed")
    assert len(chat.received) == 3


def test_a_server_that_stays_in_trouble_is_given_up(chat_of) -> None:
    chat = chat_of(500)
    with pytest.raises(WebhookError, match="500"):
        post(chat.url, "it failed")
    assert len(chat.received) == ATTEMPTS


def test_a_refusal_is_final_and_does_not_tell_the_url(chat_of) -> None:
    chat = chat_of(404)
    with pytest.raises(WebhookError) as caught:
        post(chat.url, "it failed")
    assert len(chat.received) == 1
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_log_line_tells_the_url(chat_of, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        post(chat_of(200).url, "it failed")
    assert SECRET not in caplog.text


def test_a_webhook_that_nobody_serves_does_not_tell_the_url(chat_of) -> None:
    with pytest.raises(WebhookError) as caught:
        post(f"http://127.0.0.1:9/{SECRET}", "it failed")
    assert SECRET not in str(caught.value)
