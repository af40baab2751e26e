"""Whether a server answers, takes the key and knows the model; nothing is generated."""

from __future__ import annotations

import os

import httpx

from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.errors import InputError

WAIT_SECONDS = 10.0
_REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def check_server(engine: OpenAIConfig, model: str, section: str) -> str:
    """Where the model is served.

    Args:
        engine: the server.
        model: as the settings name it; `engine.served_model` goes before it.
        section: the setting that holds `engine`, for messages.

    Raises:
        InputError: where the server does not answer, wants another key or does not have the model.
    """
    name = engine.served_model or model
    names = _models(engine, section)
    if name not in names:
        raise InputError(
            f"the server has no {name!r}",
            field=f"{section}.served_model",
            remedy=f"It has: {', '.join(names[:5])}",
        )
    # Some servers list their models to everybody: a question without a body is refused by its key
    # where a key is wanted, and as no question elsewhere.
    _ask(engine, section, "POST", "chat/completions")
    return f"{name} at {engine.base_url}"


def _models(engine: OpenAIConfig, section: str) -> list[str]:
    answer = _ask(engine, section, "GET", "models")
    try:
        return [each["id"] for each in answer.raise_for_status().json()["data"]]
    except (httpx.HTTPStatusError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"no list of models at {_url(engine, 'models')}: {error}",
            field=f"{section}.base_url",
            remedy="Correct the address: it goes up to and including /v1",
        ) from error


def _ask(engine: OpenAIConfig, section: str, method: str, what: str) -> httpx.Response:
    key = os.environ.get(engine.api_key_env) or "none"  # as the engine's client does
    headers = {"Authorization": f"Bearer {key}"}
    body = {} if method == "POST" else None
    url = _url(engine, what)
    try:
        answer = httpx.request(method, url, headers=headers, json=body, timeout=WAIT_SECONDS)
    except httpx.HTTPError as error:
        raise InputError(
            f"{url} does not answer: {error}",
            field=f"{section}.base_url",
            remedy="Start the server, or correct the address",
        ) from error
    if answer.status_code in _REFUSED:
        raise _key_refused(engine, section, answer)
    return answer


def _key_refused(engine: OpenAIConfig, section: str, answer: httpx.Response) -> InputError:
    name, field = engine.api_key_env, f"{section}.api_key_env"
    said = f"{answer.url} wants a key ({answer.status_code})"
    other = f"or name the variable that holds the key in {field}"
    if os.environ.get(name):
        problem = f"{said}, and refuses the one in the environment variable {name}"
        return InputError(problem, field=field, remedy=f"Correct what {name} holds, {other}")
    problem = f"{said}, and the environment variable {name} is not set"
    return InputError(problem, field=field, remedy=f"Set it: export {name}=..., {other}")


def _url(engine: OpenAIConfig, what: str) -> str:
    return f"{engine.base_url.rstrip('/')}/{what}"
