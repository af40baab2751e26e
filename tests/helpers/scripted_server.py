"""A server on this machine that answers from a script, however badly the script wants it to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine_doubles import generate_all, make_request

from iterpref_assets.core.engines.config import OpenAIConfig
from iterpref_assets.core.engines.openai_server import OpenAIEngine
from iterpref_assets.core.engines.protocol import Completion, Sampling

CLOSE = "close the connection without an answer"
SLOW = "answer nothing and keep the connection"


def answer(**changes: Any) -> dict[str, Any]:
    """A good answer with some fields of it changed, those of its choice and message by prefix."""
    message = {"role": "assistant", "content": "text"}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "the-model",
        "choices": [choice],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }
    for name, value in changes.items():
        target = message if name in {"content", "refusal", "reasoning_content"} else body
        (choice if name in {"finish_reason", "message"} else target)[name] = value
    return {"status": 200, "body": body}


def failure(status: int, message: str, **more: Any) -> dict[str, Any]:
    headers = more.pop("headers", {})
    return {"status": status, "headers": headers, "body": {"error": {"message": message, **more}}}


class ScriptedServer:
    """Gives the scripted answers in order, the last one again and again; keeps questions and keys.

    An answer is of the form of ../shared/cases/server_answers.jsonl: status, headers, body or raw.
    """

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.slept: list[float] = []
        self.is_closed = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.keys.append(self.headers.get("Authorization", "").removeprefix("Bearer "))
                outer.asked.append(json.loads(self.rfile.read(length)))
                step = outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                if step == SLOW:
                    outer.is_closed.wait()
                    return
                if step == CLOSE:
                    self.close_connection = True
                    return
                content = step["raw"] if "raw" in step else json.dumps(step["body"])
                headers = {"Content-Type": "application/json"} | step.get("headers", {})
                self.send_response(step["status"])
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content.encode())))
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, *arguments: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.is_closed.set()
        self.http.shutdown()
        self.http.server_close()

    def engine(self, **options: Any) -> OpenAIEngine:
        """The client of this server; its waits are noted and pass at once."""

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        return OpenAIEngine(OpenAIConfig(base_url=self.url, **options), "the-model", sleep)

    def ask(self, times: int = 1, **options: Any) -> Completion:
        """The last of some requests, one after the other."""
        requests = [
            make_request("k", "Add.", seed=42, sampling=Sampling(0.7, 0.9, 11))
            for _ in range(times)
        ]
        return generate_all(self.engine(**options), *([each] for each in requests))[-1][0]
