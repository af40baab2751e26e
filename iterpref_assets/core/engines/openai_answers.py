"""What a server's answer says, read with tolerance: servers agree on the form only roughly.

Nothing here calls a server. An answer is the JSON object of a response. What cannot be read from it
ends its item under a reason of its own (`FinishReason`). A token count that is not told is None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from iterpref_assets.core.engines.protocol import FinishReason

Json: TypeAlias = Mapping[str, Any]

_REASONS = {
    **dict.fromkeys(
        ("stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete"), FinishReason.STOP
    ),
    **dict.fromkeys(
        ("length", "max_tokens", "max_output_tokens", "model_length"), FinishReason.LENGTH
    ),
    **dict.fromkeys(
        ("content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii"),
        FinishReason.FILTERED,
    ),
    "refusal": FinishReason.REFUSED,
    **dict.fromkeys(("tool_calls", "function_call", "tool_use"), FinishReason.UNUSABLE),
    **dict.fromkeys(("abort", "cancelled", "error"), FinishReason.UNAVAILABLE),
}

_TOO_MANY = 2**31

_STATUSES = frozenset(str(each.value) for each in HTTPStatus)
BUSY = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses that pass by waiting."""

_FILTER = re.compile(
    r"content[_ ]?filter|content[_ ]policy|content management policy|responsible ?ai"
    r"|moderation|flagged|safety|inappropriate content|content exists risk|data_inspection_failed"
    r"|violat\w*\b.{0,40}\b(guideline|polic)",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"context[_ ](length|window|limit|size)|model length|max_model_len|string_above_max_length"
    r"|(prompt|input|request|messages?)\b.{0,40}\btoo (long|large)|reduce the length"
    r"|too many (input )?tokens|max_tokens must be at least 1, got -|(prompt|input) length"
    r"|(prompt|input|request|messages?)\b.{0,40}\bexceed.{0,40}\b(tokens?|length)\b"
    r"|\binputs?\b.{0,40}\bmust (be <|have less than .{0,20}tokens)",
    re.IGNORECASE,
)
_ITEM_STATUSES = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
_OF_EVERY_REQUEST = re.compile(
    r"unsupported|unrecognized|unknown (parameter|field|argument)|extra inputs are not permitted"
    r"|extra fields|model_not_found|is not supported",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """One answer; `detail` says what is wrong with it, where something is.

    `is_busy`: it says that waiting helps, as a status of `BUSY` would.
    """

    text: str
    reason: FinishReason
    prompt_tokens: int | None
    completion_tokens: int | None
    model: str
    detail: str = ""
    is_busy: bool = False


def read_answer(body: Json, max_tokens: int) -> ServerAnswer:
    """The first choice of an answer.

    Args:
        body: the response's object.
        max_tokens: the longest completion that was asked for. It tells whether an answer without a
            reason was cut off.
    """
    prompt_tokens, completion_tokens = _counts(body)
    text, reason, detail = _first_choice(body)
    if reason is None:
        cut = completion_tokens is not None and completion_tokens >= max_tokens
        reason = FinishReason.LENGTH if cut else FinishReason.STOP
    if reason is FinishReason.STOP and text is None:
        reason, detail = FinishReason.UNUSABLE, "it holds no text (message.content)"
    return ServerAnswer(
        text=text or "",
        reason=reason,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        model=_text(body.get("model")) or "",
        detail=detail,
        is_busy=_status(body) in BUSY,
    )


def failure_of(status: int, error: Any, prompt: str = "") -> FinishReason | None:
    """How the item ends that a server refused; None where it would refuse every other as well.

    Args:
        status: the HTTP status.
        error: what the response's body says of it.
        prompt: what was asked, which the server may repeat: its words say nothing of other items.
    """
    said = spelt(error)
    if status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
        return FinishReason.FILTERED
    if status in {*_ITEM_STATUSES, HTTPStatus.FORBIDDEN} and _FILTER.search(said):
        return FinishReason.FILTERED
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return FinishReason.PROMPT_TOO_LONG
    if status not in _ITEM_STATUSES:
        return None
    if _LENGTH.search("\n".join(_texts(error))):
        return FinishReason.PROMPT_TOO_LONG
    return None if _is_of_every_request(error, said, prompt) else FinishReason.REJECTED


def spelt(error: Any) -> str:
    """What a response's body says of a failure, as text."""
    try:
        return error if isinstance(error, str) else json.dumps(error, default=str)
    except RecursionError:
        return "an error that is nested too deep"


def _texts(error: Any) -> Iterator[str]:
    """Every text in a response's body: the name of a field, such as `message`, says nothing."""
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _is_of_every_request(error: Any, said: str, prompt: str) -> bool:
    code = spelt(error.get("code")) if isinstance(error, Mapping) else ""  # repeats no prompt
    repeated = prompt.lower()
    return bool(_OF_EVERY_REQUEST.search(code)) or any(
        found[0].lower() not in repeated for found in _OF_EVERY_REQUEST.finditer(said)
    )


def _first_choice(body: Json) -> tuple[str | None, FinishReason | None, str]:
    """Its text, why it ended (None: it does not say) and what is wrong with it."""
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        return _without_choice(body)
    choice: Json = choices[0]
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    text = _content(message.get("content"))
    if text is None and isinstance(choice.get("text"), str):
        text = str(choice["text"])
    if refusal := _text(message.get("refusal")):
        return text, FinishReason.REFUSED, refusal
    told = _text(choice.get("finish_reason"))
    reason = _REASONS.get(told.lower()) if told else None
    if reason in (FinishReason.UNUSABLE, FinishReason.UNAVAILABLE):
        return text, reason, f"it ended by {told!r} (finish_reason)"
    return text, reason, ""


def _without_choice(body: Json) -> tuple[None, FinishReason, str]:
    """Some gateways put a provider's error into an answer that counts as a success."""
    error = body.get("error")
    if not error:
        return None, FinishReason.UNUSABLE, "it holds no completion (choices)"
    said = spelt(error)
    reason = failure_of(HTTPStatus.BAD_REQUEST, error)
    lasting = reason in (FinishReason.FILTERED, FinishReason.PROMPT_TOO_LONG)
    return None, reason if reason and lasting else FinishReason.UNAVAILABLE, said[:200]


def _status(body: Json) -> int | None:
    """The HTTP status of an error in an answer, which it may give as a number or as its digits."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    for holder in (body, choice):
        error = holder.get("error") if isinstance(holder, Mapping) else None
        code = error.get("code") if isinstance(error, Mapping) else None
        if isinstance(code, int | str) and str(code) in _STATUSES:
            return int(code)
    return None


def _content(content: Any) -> str | None:
    """The text of a message; some servers give it in parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        texts = [part for part in parts if isinstance(part, str)]
        return "".join(texts) if texts else None
    return content if isinstance(content, str) else None


def _counts(body: Json) -> tuple[int | None, int | None]:
    usage = body.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


def _count(value: Any) -> int | None:
    """A count of tokens that a table can hold."""
    return value if type(value) is int and 0 <= value < _TOO_MANY else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
