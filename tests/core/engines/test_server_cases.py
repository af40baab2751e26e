"""Recorded answers of servers, each with what must come of it."""

from typing import Any

import pytest
from scripted_server import ScriptedServer, answer
from shared_cases import cases

from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.errors import InputError

ENDS = {
    "prompt_refused_by_a_content_filter": (FinishReason.FILTERED, ""),
    "rate_limit_with_a_wait": (FinishReason.STOP, "text"),
    "no_finish_reason": (FinishReason.STOP, "ok"),
    "reasoning_apart_and_no_content": (FinishReason.LENGTH, ""),
}
STOPS = {
    "parameter_renamed": 'Set max_tokens_parameter to "max_completion_tokens"',
    "web_page_instead_of_json": "answers with a web page",
}


@pytest.mark.parametrize("case", cases("server_answers.jsonl"))
def test_a_recorded_answer_ends_its_item_or_says_what_to_change(
    server: ScriptedServer, case: dict[str, Any]
) -> None:
    server.script = [case, answer()]
    if case["name"] in ENDS:
        completion = server.ask()
        assert (completion.finish_reason, completion.text) == ENDS[case["name"]]
    else:
        with pytest.raises(InputError) as caught:
            server.ask()
        assert STOPS[case["name"]] in str(caught.value)
    wait = case.get("headers", {}).get("Retry-After")
    assert server.slept == ([float(wait)] if wait else [])
