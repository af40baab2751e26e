"""A message to a chat webhook: Slack, Mattermost, Teams and Google Chat take this form."""

from __future__ import annotations

import logging

import httpx
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_exponential

# It logs every URL that it asks, and here the URL is the secret.
logging.getLogger("httpx").setLevel(logging.WARNING)

ATTEMPTS = 5
_TOO_MANY = 429


class WebhookError(RuntimeError):
    """A message was not delivered; the webhook's URL is a secret and stays out of the text."""


def _may_pass(error: BaseException) -> bool:
    """Whether trying again can help: nobody answered, or the server is in trouble or busy."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == _TOO_MANY or error.response.is_server_error
    return isinstance(error, httpx.TransportError)


@retry(
    retry=retry_if_exception(_may_pass),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_exponential(multiplier=0.5, max=8),
    reraise=True,
)
def _post(url: str, text: str) -> None:
    httpx.post(url, json={"text": text}, timeout=10).raise_for_status()


def post(url: str, text: str) -> None:
    """Post a message, trying again where the failure may pass.

    Raises:
        WebhookError: where it was refused, or nobody took it.
    """
    try:
        _post(url, text)
    except httpx.HTTPStatusError as error:
        raise WebhookError(f"the webhook answered HTTP {error.response.status_code}") from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise WebhookError(f"the webhook cannot be reached: {type(error).__name__}") from None
