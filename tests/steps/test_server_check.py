"""A server that wants a key is told from one that does not, before anything is generated."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.errors import InputError
from iterpref_assets.steps.server_check import check_server

NAME = "KEY_OF_THE_TEST"


@contextmanager
def serving(key: str | None, *, lists_to_all: bool = False) -> Iterator[OpenAIConfig]:
    """A server of the model `small` that wants a key, or none; it may list models to everybody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200 if lists_to_all or self.is_known() else 401)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(400 if self.is_known() else 401)

        def is_known(self) -> bool:
            return key is None or self.headers["Authorization"] == f"Bearer {key}"

        def answer(self, status: int) -> None:
            body = json.dumps({"data": [{"id": "small"}]}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        yield OpenAIConfig(base_url=url, api_key_env=NAME)
        server.shutdown()
        thread.join()


def refusal(config: OpenAIConfig) -> InputError:
    with pytest.raises(InputError) as caught:
        check_server(config, "small", "engine")
    return caught.value


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)


def test_a_server_that_needs_no_key_is_as_it_should_be() -> None:
    with serving(None) as config:
        assert check_server(config, "small", "engine") == f"small at {config.base_url}"


@pytest.mark.parametrize("lists_to_all", [False, True])
def test_a_key_that_is_not_set_is_named_with_its_setting_and_what_to_do(lists_to_all) -> None:
    with serving("secret", lists_to_all=lists_to_all) as config:
        error = refusal(config)
    assert error.problem.endswith(f"and the environment variable {NAME} is not set")
    assert error.field == "engine.api_key_env"
    assert error.remedy == (
        f"Set it: export {NAME}=..., or name the variable that holds the key in engine.api_key_env"
    )


@pytest.mark.parametrize("lists_to_all", [False, True])
def test_a_key_that_the_server_refuses_is_named_and_never_shown(monkeypatch, lists_to_all) -> None:
    monkeypatch.setenv(NAME, "wrong-key")
    with serving("secret", lists_to_all=lists_to_all) as config:
        error = refusal(config)
    assert f"refuses the one in the environment variable {NAME}" in error.problem
    assert "wrong-key" not in str(error)


def test_the_key_in_the_variable_opens_the_server(monkeypatch) -> None:
    monkeypatch.setenv(NAME, "secret")
    with serving("secret") as config:
        assert check_server(config, "small", "engine") == f"small at {config.base_url}"


def test_the_name_that_the_server_knows_the_model_by_goes_first() -> None:
    with serving(None) as config:
        served = config.model_copy(update={"served_model": "small"})
        assert check_server(served, "another", "engine") == f"small at {config.base_url}"
