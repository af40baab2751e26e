"""Questions to a running Dagster deployment, over the GraphQL that its UI uses."""

from __future__ import annotations

from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from iterpref_assets.core.errors import InputError

ATTEMPTS = 6
"""With waits doubling from half a second: a webserver that restarts has 15 s to come back."""


class NoAnswerError(InputError):
    """Nothing answers at a deployment's URL, or what answers failed by itself: both may pass."""


class Deployment:
    """A Dagster webserver, by the URL that a browser would open."""

    def __init__(
        self, url: str, *, timeout: float = 60.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout, transport=transport)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The `data` of one query or mutation.

        Raises:
            NoAnswerError: where nothing answers at the URL, or what answers failed by itself.
            InputError: where what answers is not Dagster, or refuses the question.
        """
        try:
            answer = self._client.post(
                f"{self.url}/graphql", json={"query": query, "variables": variables}
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise NoAnswerError(
                f"no Dagster deployment answers ({error})",
                file=self.url,
                remedy="Start one (make ui), or give the URL of yours with --url",
            ) from None
        return self._data(answer)

    def ask_again(self, query: str, **variables: Any) -> dict[str, Any]:
        """Like `ask`, but patient: for questions in a row that a restart may interrupt."""
        for attempt in Retrying(
            retry=retry_if_exception_type(NoAnswerError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=0.5),
            reraise=True,
        ):
            with attempt:
                return self.ask(query, **variables)
        raise AssertionError

    def _data(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict) or not {"data", "errors"} & content.keys():
            raise InputError(
                f"what answers is not a Dagster webserver (HTTP {answer.status_code})",
                file=self.url,
                remedy="Give the URL that you open in the browser with --url",
            )
        errors = content.get("errors")
        if errors and answer.is_server_error:
            # Whatever broke (a database that restarted) is in its first line; the others are SQL.
            reason = errors[0]["message"].partition("\n")[0]
            raise NoAnswerError(
                f"the deployment could not answer: {reason}",
                file=self.url,
                remedy="Ask again; if it fails again, the webserver's log tells more",
            )
        if errors:
            raise InputError(
                f"the deployment refused the question: {errors[0]['message']}",
                file=self.url,
                remedy="Is it of the Dagster version that this project pins?",
            )
        return content["data"]
