"""How many calls of one piece of work may fail before the work ends."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict

from iterpref_assets.core.engines.protocol import FAILED, Completion, FinishReason
from iterpref_assets.core.errors import InputError

MEANINGFUL = 100
"""A share of fewer calls than this many says little; of less work, all of it is meant."""
SHOWN = 3
_REMEDIES = {
    FinishReason.UNAVAILABLE: "The log of the server or engine says why it does not answer, and "
    "docs/SERVERS.md tells of causes: mend that and start it again",
    FinishReason.PROMPT_TOO_LONG: "Give the server or the engine a longer context, or lower "
    "max_tokens",
}

_log = logging.getLogger("iterpref")


class FailureBudget:
    """Counts calls, and ends the work where more than a share of them gave no answer.

    The share is of the calls so far, of at least MEANINGFUL calls, and never ends the work for one
    failure alone.

    Args:
        share: of the calls that may fail.
        total: how much work there is, items.
    """

    def __init__(self, share: float, total: int) -> None:
        self._share, self._least = share, min(total, MEANINGFUL)
        self._calls = 0
        self._kinds: Counter[FinishReason] = Counter()
        self._first: defaultdict[FinishReason, list[str]] = defaultdict(list)

    @property
    def kinds(self) -> dict[str, int]:
        """Failures by kind, the most frequent first."""
        return {reason.value: count for reason, count in self._kinds.most_common()}

    def count(self, completion: Completion) -> None:
        """Count one call of this process; the first failures of each kind are logged.

        Raises:
            InputError: where too many have failed, with their kinds and the first of each.
        """
        key, reason, detail = completion.key, completion.finish_reason, completion.detail
        said = f"{key} ({detail})" if detail else key
        if reason in FAILED and self._kinds[reason] < SHOWN:
            _log.warning("no answer, %s: %s", reason, said)
        self.count_earlier(said, reason)
        if reason in FAILED and self.is_exceeded:
            raise InputError(
                f"{self._kinds.total()} of {self._calls} calls gave no answer: {self._in_words()}",
                field="max_failed_share",
                remedy=f"{self._remedy()}, or raise max_failed_share, which is {self._share:g}, to "
                "go on without these items; finished completions are kept",
            )

    def count_earlier(self, key: str, reason: FinishReason) -> None:
        """Count one call that an earlier process logged."""
        self._calls += 1
        if reason not in FAILED:
            return
        self._kinds[reason] += 1
        if len(self._first[reason]) < SHOWN:
            self._first[reason].append(key)

    @property
    def is_exceeded(self) -> bool:
        """Whether more calls have failed than may."""
        # One failure alone says little of the others; a share of 0 asks for none at all.
        allowed = max(1.0, self._share * max(self._calls, self._least)) if self._share else 0.0
        return self._kinds.total() > allowed

    def tell(self, work: str) -> None:
        """Log what finished work lacks."""
        if failed := self._kinds.total():
            _log.warning(
                "%s: %d of %d calls gave no answer: %s",
                work, failed, self._calls, self._in_words(),
            )  # fmt: skip

    def _remedy(self) -> str:
        """What mends each kind: a server that died is not the less dead for rarer failures."""
        remedies = [_REMEDIES[kind] for kind, _ in self._kinds.most_common() if kind in _REMEDIES]
        return ". ".join(remedies) or "Correct what is named"

    def _in_words(self) -> str:
        return "; ".join(
            f"{reason.value} {count}, first {', '.join(self._first[reason])}"
            for reason, count in self._kinds.most_common()
        )
