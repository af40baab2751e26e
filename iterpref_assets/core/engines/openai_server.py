"""Any server that speaks OpenAI's chat completions, such as `vllm serve`.

Repeatability: what the server gives. The seed is passed on; `vllm serve` honours it as vLLM does in
process, other servers at best try.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import openai

from iterpref_assets.core.engines.checkpoint import model_name, package_version, without_answer
from iterpref_assets.core.engines.config import MaxTokensParameter, Omittable, OpenAIConfig
from iterpref_assets.core.engines.openai_answers import ServerAnswer, failure_of, read_answer, spelt
from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.engines.waiting import (
    FailedAnswerError,
    GarbledAnswerError,
    Patience,
    Sleep,
    in_words,
    is_slow,
    may_pass,
)
from iterpref_assets.core.errors import InputError

_SHOWN = 80
_NOT_KNOWN = re.compile(
    r"unsupported|not support|unrecognized|unknown|unexpected|not permitted|not allowed|extra",
    re.IGNORECASE,
)
"""A complaint about a parameter as such; any other is about its value."""
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


class OpenAIEngine:
    """`Engine` over a server, which renders the chat and holds the model.

    What is wrong with one item ends that item (`FinishReason`). What would be wrong with every
    other one as well ends the run: the address, the key, the model's name, a parameter.
    """

    def __init__(
        self, config: OpenAIConfig, model: Path | str, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._config = config
        self._model = config.served_model or str(model)
        self._name = config.served_model or model_name(model)
        self._is_folder = isinstance(model, Path)
        self._patience = Patience(config, sleep)
        self._client = openai.AsyncOpenAI(
            base_url=config.base_url,
            api_key=os.environ.get(config.api_key_env) or "none",
            timeout=config.timeout_seconds,
            max_retries=0,
        )

    @property
    def description(self) -> str:
        """The client's version and the model's name on the server; never the server's address."""
        return f"openai {package_version('openai')}, {self._name}"

    async def generate(self, request: Request) -> Completion:
        """The server's answer, waited for while it is busy or away.

        Raises:
            InputError: where the server refuses the model, the key or a parameter, or the address
                has never answered with anything but pages or other text.
        """
        if half := _HALF_A_PAIR.search(_prompt(request)):
            detail = f"the prompt holds {half[0]!r}, half of a surrogate pair, which is no text"
            return without_answer(request, None, FinishReason.REJECTED, detail)
        try:
            answer = await self._patience.call(self._ask, request)
        except FailedAnswerError as error:
            answer = error.answer
        except (openai.APIError, GarbledAnswerError) as error:
            return self._failed(request, error)
        return Completion(
            key=request.key,
            text=answer.text,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            finish_reason=answer.reason,
            seed=request.seed,
            answered_by=answer.model if answer.model != self._model else "",
            detail=answer.detail,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def _ask(self, request: Request) -> ServerAnswer:
        """The server's answer, without any of the client's checks."""
        response = await self._client.chat.completions.with_raw_response.create(
            **self._parameters(request)
        )
        try:
            body: Any = json.loads(response.text)
        except (ValueError, RecursionError):
            raise self._unreadable(
                response.text, response.headers.get("content-type", "")
            ) from None
        if not isinstance(body, dict):
            raise self._unreadable(response.text, "")
        answer = read_answer(body, request.sampling.max_tokens)
        if answer.reason is FinishReason.UNAVAILABLE:
            raise FailedAnswerError(answer)
        return answer

    def _parameters(self, request: Request) -> dict[str, Any]:
        config, sampling = self._config, request.sampling
        parameters: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": m.role.value, "content": m.content} for m in request.messages],
            Omittable.TEMPERATURE: sampling.temperature,
            Omittable.TOP_P: sampling.top_p,
            Omittable.SEED: request.seed,
            config.max_tokens_parameter: sampling.max_tokens,
        }
        if config.reasoning_effort is not None:
            parameters["reasoning_effort"] = config.reasoning_effort
        sent = {str(key): value for key, value in parameters.items() if key not in config.omit}
        return {**sent, "extra_body": config.extra_body}

    def _failed(self, request: Request, error: openai.APIError | GarbledAnswerError) -> Completion:
        """The end of this one item, where others may be answered."""
        is_away = isinstance(error, openai.APIConnectionError) and not is_slow(error)
        never_there = is_away and not self._patience.has_answered
        if may_pass(error) and not never_there:
            return without_answer(request, None, FinishReason.UNAVAILABLE, self._in_words(error))
        if isinstance(error, openai.APIStatusError):
            reason = failure_of(error.status_code, error.body or error.message, _prompt(request))
            if reason is FinishReason.REJECTED and self._option_named(error, request):
                reason = None  # what it does not accept is in every request
            if isinstance(error, openai.PermissionDeniedError) and self._patience.has_answered:
                reason = reason or FinishReason.REJECTED  # the key is good for other prompts
            if reason is not None:
                return without_answer(request, None, reason, in_words(error))
        raise self._refused(error, request) from error

    def _refused(self, error: Exception, request: Request) -> InputError:
        field, remedy = self._option_named(error, request) or self._cause_of(error)
        return InputError(
            f"the server did not generate: {self._in_words(error)}",
            file=self._config.base_url,
            field=field,
            remedy=f"{remedy}; then run again: finished completions are kept",
        )

    def _cause_of(self, error: Exception) -> tuple[str | None, str]:
        """The option to correct, None where it is none of them, and what to do."""
        if isinstance(error, openai.APIConnectionError):
            remedy = "Start it, or correct its address"
            if self._is_gone(error):
                remedy = "Its log says why it ended; docs/SERVERS.md tells of causes. Start it anew"
            return "base_url", remedy
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            key = self._config.api_key_env
            is_set = bool(os.environ.get(key))
            remedy = f"Correct what {key} holds" if is_set else f"Set the key: export {key}=..."
            return "api_key_env", f"{remedy}, or name the variable that holds it in api_key_env"
        if isinstance(error, openai.NotFoundError):
            is_renamed = self._config.served_model is not None or self._is_folder
            field = "served_model" if is_renamed else "model"
            return field, (
                f"Check that it serves {self._model} there, and that base_url ends as its "
                "documents say"
            )
        if isinstance(error, openai.RateLimitError):
            return None, "Raise the account's quota, or use the key of another"
        return None, "Change what it complains of, in the settings of this engine"

    def _in_words(self, error: Exception) -> str:
        """The failure, and what the server said before where it is gone."""
        said, before = in_words(error).rstrip("."), self._patience.broke_with.rstrip(".")
        return f"{said}; before that it answered {before}" if self._is_gone(error) else said

    def _is_gone(self, error: Exception) -> bool:
        """Whether a server that broke cannot be reached any more; one that is slow is there."""
        away = isinstance(error, openai.APIConnectionError)
        return (
            away
            and not isinstance(error, openai.APITimeoutError)
            and bool(self._patience.broke_with)
        )

    def _option_named(self, error: Exception, request: Request) -> tuple[str, str] | None:
        """The option that the server's complaint is about, and what to do with it.

        A complaint may repeat the prompt: a word of the prompt names an option only where the
        server says by itself, in `param`, what it complains of.
        """
        mine = self._config.max_tokens_parameter
        (other,) = set(MaxTokensParameter) - {mine}
        unknown = _NOT_KNOWN.search(spelt(getattr(error, "body", None)))
        drawn = {mine.value: "max_tokens", "temperature": "temperature", "top_p": "top_p"}
        remedies = {
            mine.value: ("max_tokens_parameter", f'Set max_tokens_parameter to "{other}"'),
            **{each.value: ("omit", f'Add "{each}" to omit') for each in Omittable},
            **({} if unknown else {name: (own, f"Change {own}") for name, own in drawn.items()}),
            "reasoning_effort": ("reasoning_effort", "Change reasoning_effort or leave it out"),
            **{
                name: ("extra_body", f"Change {name} in extra_body or leave it out")
                for name in self._config.extra_body
            },
        }
        if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            message = error.body if isinstance(error.body, str) else error.message
            said = str(error.param or message)  # a server may name it by a list
            asked = "" if error.param else _prompt(request)
            for name, (field, remedy) in remedies.items():
                word = re.compile(rf"\b{re.escape(name)}\b")
                if word.search(said) and not word.search(asked):
                    place = "the stage that asks" if field in drawn.values() else "this engine"
                    return field, f"{remedy}, in the settings of {place}"
        return None

    def _unreadable(self, text: str, content_type: str) -> Exception:
        """A failure of one answer; before any other, the address is what is wrong."""
        if "json" in content_type or self._patience.has_answered:
            return GarbledAnswerError(f"an answer that is no JSON: {text[-_SHOWN:]!r}")
        return self._no_completions(text)

    def _no_completions(self, text: str) -> InputError:
        is_page = text.lstrip().startswith("<")
        what = "a web page" if is_page else "text that is no completion"
        shown = " ".join(text.split())[:_SHOWN]
        return InputError(
            f"the address answers with {what}: {shown!r}",
            file=self._config.base_url,
            field="base_url",
            remedy="Give the address of the server's API (it often ends with /v1), and check that "
            "no sign-in page stands before it",
        )


def _prompt(request: Request) -> str:
    return "\n".join(message.content for message in request.messages)
