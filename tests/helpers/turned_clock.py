"""A clock that a test turns, in place of a module's `time`."""


class Clock:
    """Tells `now`, in seconds, as time.monotonic does."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """The time that the test has set."""
        return self.now
