import asyncio

import pytest
from engine_doubles import generate_all, make_request

from iterpref_assets.core.engines.protocol import Completion, FinishReason, Request
from iterpref_assets.core.engines.threaded import ThreadedEngine


class CountdownBackend:
    """Finishes a request after as many steps as its seed says; breaks at the key "break"."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.batches: list[set[str]] = []
        self.closed = False

    def add(self, request: Request) -> Completion | None:
        if request.seed == 0:
            return self.answer(request.key)
        self.left[request.key] = request.seed
        return None

    def step(self) -> list[Completion]:
        if "break" in self.left:
            raise MemoryError("the model does not fit")
        self.batches.append(set(self.left))
        self.left = {key: steps - 1 for key, steps in self.left.items()}
        finished = [key for key, steps in self.left.items() if steps == 0]
        return [self.answer(key) for key in finished if self.left.pop(key) == 0]

    def has_work(self) -> bool:
        return bool(self.left)

    def close(self) -> None:
        self.closed = True

    def answer(self, key: str) -> Completion:
        return Completion(key, key.upper(), 1, 1, FinishReason.STOP, 0)


async def started(backend: CountdownBackend) -> None:
    while not backend.batches:  # noqa: ASYNC110 - it is filled by another thread
        await asyncio.sleep(0.001)


def test_everyone_gets_the_answer_to_their_own_request() -> None:
    engine = ThreadedEngine("double", CountdownBackend)
    requests = [make_request(f"k{number}", seed=number % 5) for number in range(50)]
    [answers] = generate_all(engine, requests)
    assert [answer.text for answer in answers] == [f"K{number}" for number in range(50)]


def test_a_new_request_joins_the_batch_that_is_being_generated() -> None:
    backend = CountdownBackend()
    engine = ThreadedEngine("double", lambda: backend)

    async def run() -> None:
        async with engine:
            long = asyncio.create_task(engine.generate(make_request("long", seed=10**9)))
            await started(backend)
            await engine.generate(make_request("short", seed=3))
            long.cancel()

    asyncio.run(run())
    assert {"long", "short"} in backend.batches


def test_an_error_reaches_everyone_who_waits_and_everyone_later() -> None:
    async def run() -> list[BaseException | Completion]:
        async with ThreadedEngine("double", CountdownBackend) as engine:
            waiting = [engine.generate(make_request(key, seed=10**9)) for key in ("other", "break")]
            failed = await asyncio.gather(*waiting, return_exceptions=True)
            with pytest.raises(MemoryError):
                await engine.generate(make_request("late"))
            return failed

    assert [str(error) for error in asyncio.run(run())] == ["the model does not fit"] * 2


def test_a_backend_that_cannot_start_fails_the_first_request() -> None:
    def start() -> CountdownBackend:
        raise OSError("no such device")

    with pytest.raises(OSError, match="no such device"):
        generate_all(ThreadedEngine("double", start), [make_request("a")])


def test_nothing_is_started_without_a_request() -> None:
    made: list[CountdownBackend] = []

    def start() -> CountdownBackend:
        made.append(CountdownBackend())
        return made[-1]

    generate_all(ThreadedEngine("double", start))
    assert made == []


def test_leaving_closes_the_backend_though_work_is_left() -> None:
    backend = CountdownBackend()
    engine = ThreadedEngine("double", lambda: backend)

    async def run() -> None:
        async with engine:
            endless = asyncio.create_task(engine.generate(make_request("long", seed=10**9)))
            await started(backend)
            endless.cancel()

    asyncio.run(run())
    assert backend.closed
