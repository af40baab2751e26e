"""The OpenAI server of the vLLM that is installed, as docs/WALK.md starts it, on this machine."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 1200
OPTIONS = ("--enforce-eager", "--no-enable-chunked-prefill", "--kv-cache-memory-bytes", "1G")
"""What docs/WALK.md starts it with: no prompt that has a seed is split."""
_ANSWERED = re.compile(r"^vllm:request_success_total\{.*\} (\S+)$", re.MULTILINE)
STOP_SECONDS = 120


class VllmServer:
    """A running server; `url` ends with /v1."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._address = f"http://127.0.0.1:{port}"
        self.url = f"{self._address}/v1"

    def version(self) -> str:
        """The version of vLLM that it says it is."""
        return str(self._get("/version").json()["version"])

    def answered(self) -> int:
        """How many requests it has generated for, by its own count."""
        return int(sum(map(float, _ANSWERED.findall(self._get("/metrics").text))))

    def kill(self) -> None:
        """End it and its engine's processes at once, as where memory runs out."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and end it where it hangs."""
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()

    def wait_until_ready(self, log: Path) -> None:
        """Return once it answers.

        Raises:
            AssertionError: where it ended, or did not answer in time, with its log.
        """
        for _ in range(START_SECONDS):
            assert self._process.poll() is None, log.read_text()
            try:
                self._get("/health")
            except httpx.TransportError:
                time.sleep(1)
            else:
                return
        raise AssertionError(f"no answer in {START_SECONDS} s:\n{log.read_text()}")

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(self._address + path, timeout=60).raise_for_status()


@contextmanager
def serving(model: Path, name: str, log: Path, *options: str) -> Generator[VllmServer]:
    """A server of the model in a folder; what it prints goes to `log`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "vllm.entrypoints.openai.api_server"),
                *("--model", str(model), "--served-model-name", name),
                *("--host", "127.0.0.1", "--port", str(port), *OPTIONS, *options),
            ],
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = VllmServer(process, port)
    try:
        server.wait_until_ready(log)
        yield server
    finally:
        server.stop()
