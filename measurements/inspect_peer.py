"""What inspect_ai's log viewer makes of as many trajectories: the peer of pages.py.

It runs in an environment of its own, since inspect_ai does not go with the pinned packages
(docs/PAGES.md):

    python -m venv data/peers/inspect
    data/peers/inspect/bin/pip install inspect_ai==0.3.285 playwright
    data/peers/inspect/bin/python measurements/inspect_peer.py

LLMDebugger's trajectories, repeated until there are enough, become one log of conversations, which
`inspect view bundle` packs. Chromium opens the bundle from a server on this machine, and from disk.
Prints a JSON line.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

DATA = Path(os.environ.get("PUBLISHED_DATA", Path(__file__).resolve().parents[2] / "shared/data"))
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
PATIENCE_MS = 15_000


def log_of(count: int):  # noqa: ANN201 - a class of inspect_ai
    """A log of `count` trajectories: the task, each program, and what it was told."""
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalResults, EvalSample, EvalSpec
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelOutput
    from inspect_ai.scorer import Score

    rows = [
        (file.name.split(".jsonl")[0], json.loads(line))
        for file in sorted((DATA / "trajectories" / "llmdebugger").glob("*.gz"))
        for line in gzip.decompress(file.read_bytes()).splitlines()
    ]
    samples = []
    for number in range(count):
        model, row = rows[number % len(rows)]
        told = [*row["test_feedback"], *[[]] * len(row["implementations"])]
        turns = [ChatMessageUser(content=row["prompt"])]
        for code, feedback in zip(row["implementations"], told, strict=False):
            turns.append(ChatMessageAssistant(content=f"```python\n{code}\n```"))
            turns += [ChatMessageUser(content="\n".join(map(str, feedback)))] if feedback else []
        samples.append(
            EvalSample(
                id=f"{row['task_id']}#{model}.{number // len(rows)}",
                epoch=1,
                input=row["prompt"],
                target="",
                messages=turns,
                output=ModelOutput.from_content("none", row["implementations"][-1]),
                scores={"solved": Score(value="C" if row["is_solved"] else "I")},
                metadata={"rounds": len(row["implementations"]) - 1},
            )
        )
    return EvalLog(
        status="success",
        eval=EvalSpec(
            created="2026-01-01T00:00:00+00:00",
            task="trajectories",
            dataset=EvalDataset(name="trajectories", samples=count),
            model="none/none",
            config=EvalConfig(),
        ),
        samples=samples,
        results=EvalResults(total_samples=count, completed_samples=count),
    )


@contextmanager
def served(folder: Path):  # noqa: ANN201
    """The address of a server of the folder's files; the viewer asks it for parts of them."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    app = Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))])
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


def opened(browser, url: str) -> dict[str, float | None]:  # noqa: ANN001
    """Seconds until something is painted and until samples are listed; None where never."""
    from playwright.sync_api import TimeoutError as Late

    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    try:
        page.get_by_text("HumanEval/").first.wait_for(timeout=PATIENCE_MS)
        listed = round(time.perf_counter() - started, 2)
    except Late:
        listed = None
    painted = page.evaluate(PAINT)
    page.context.close()
    return {"first_paint": painted and round(painted / 1000, 2), "rows": listed}


def main() -> None:
    """Measure one bundle."""
    from inspect_ai.log import bundle_log_dir, write_eval_log
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    arguments = parser.parse_args()
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        logs, bundle = Path(name, "logs"), Path(name, "bundle")
        logs.mkdir()
        log = log_of(arguments.rows)
        started = time.process_time()
        write_eval_log(log, str(logs / "trajectories.eval"))
        written = time.process_time() - started
        bundle_log_dir(str(logs), str(bundle))
        size = sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        with served(bundle) as url:
            times = [opened(browser, f"{url}#/logs/trajectories.eval") for _ in range(5)]
        from_disk = opened(browser, (bundle / "index.html").as_uri())
        browser.close()
    print(
        json.dumps(
            {
                "trajectories": arguments.rows,
                "megabytes": round(size / 1e6, 1),
                "cpu_seconds_to_write": round(written, 1),
                "served": times,
                "from_disk": from_disk,
            }
        )
    )


if __name__ == "__main__":
    main()
