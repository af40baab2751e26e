"""Any server that speaks OpenAI's chat completions, such as `vllm serve`.

Repeatability: what the server gives. The seed is passed on; `vllm serve` honours it as vLLM does in
process, other servers at best try.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import openai
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from iterpref_assets.core.engines.checkpoint import package_version, without_answer
from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.errors import InputError

TRANSIENT = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)
_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTERED,
}


class OpenAIEngine:
    """`Engine` over a server, which renders the chat and holds the model.

    The server must fit prompt and `max_tokens` into the model's context together; a request that it
    refuses for its length ends as PROMPT_TOO_LONG with a token count of 0.
    """

    def __init__(self, config: OpenAIConfig, model: Path | str) -> None:
        self._config = config
        self._model = config.served_model or str(model)
        self._client = openai.AsyncOpenAI(
            base_url=config.base_url,
            api_key=os.environ.get(config.api_key_env) or "none",
            timeout=config.timeout_seconds,
            max_retries=0,
        )

    @property
    def description(self) -> str:
        """The client's version and the model's name on the server; never the server's address."""
        return f"openai {package_version('openai')}, {self._model}"

    async def generate(self, request: Request) -> Completion:
        """The server's answer, tried again while it is busy or away.

        Raises:
            InputError: where the server stays away, refuses the model, the key or the request, or
                answers with something else than one text, why it ended and how long it is.
        """
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(TRANSIENT),
            wait=wait_random_exponential(multiplier=0.5, max=30),
            stop=stop_after_attempt(self._config.max_attempts),
            reraise=True,
        )
        try:
            answer = await attempts(self._ask, request)
        except openai.BadRequestError as error:
            if _is_about_length(error):
                return without_answer(request, 0, FinishReason.PROMPT_TOO_LONG)
            raise self._refused(error) from error
        except openai.APIError as error:
            raise self._refused(error) from error
        return self._completion(request, answer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def _ask(self, request: Request) -> Any:
        messages: list[Any] = [
            {"role": message.role.value, "content": message.content} for message in request.messages
        ]
        return await self._client.chat.completions.create(
            model=self._model,
            messages=messages,
            temperature=request.sampling.temperature,
            top_p=request.sampling.top_p,
            max_tokens=request.sampling.max_tokens,
            seed=request.seed,
        )

    def _completion(self, request: Request, answer: Any) -> Completion:
        if not answer.choices:
            raise self._unusable("it holds no completion (choices)")
        if answer.usage is None:
            raise self._unusable("it does not count its tokens (usage)")
        choice = answer.choices[0]
        reason = _REASONS.get(choice.finish_reason)
        if reason is None:
            raise self._unusable(f"it ended by {choice.finish_reason!r} (finish_reason)")
        return Completion(
            key=request.key,
            text=choice.message.content or "",
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.completion_tokens,
            finish_reason=reason,
            seed=request.seed,
        )

    def _unusable(self, why: str) -> InputError:
        return InputError(
            f"an answer of the server is of no use: {why}",
            file=self._config.base_url,
            field="base_url",
            remedy="Use a server that answers in text, without parsing calls of tools, and counts "
            "its tokens; then run again: finished completions are kept",
        )

    def _refused(self, error: openai.APIError) -> InputError:
        return InputError(
            f"the server did not generate: {error.message}",
            file=self._config.base_url,
            field="base_url" if isinstance(error, TRANSIENT) else "served_model",
            remedy=f"Check that it serves {self._model} there and accepts the key in "
            f"{self._config.api_key_env}",
        )


def _is_about_length(error: openai.BadRequestError) -> bool:
    text = str(error).lower()
    return "context_length_exceeded" in text or "context length" in text
