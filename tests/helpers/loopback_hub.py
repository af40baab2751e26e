"""A hub on this machine that speaks the part of the Hugging Face hub's API that is used here.

Repositories are made, files are announced, uploaded (in the commit, or as LFS objects) and
committed; models and files are told and given. Nothing is kept but in memory.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

LFS_BYTES = 10 << 10
"""Files from this size on are uploaded as LFS objects, and safetensors always."""
_COMMIT = re.compile(r"/api/(model|dataset)s/([\w.-]+/[\w.-]+)/commit/main")
_PREUPLOAD = re.compile(r"/api/(model|dataset)s/([\w.-]+/[\w.-]+)/preupload/main")
_BATCH = re.compile(r"/(?:datasets/)?([\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch")
_INFO = re.compile(r"/api/(model|dataset)s/([\w.-]+/[\w.-]+)(?:/revision/([\w.-]+))?")
_TREE = re.compile(r"/api/(model|dataset)s/([\w.-]+/[\w.-]+)/tree/([\w.-]+)")
_FILE = re.compile(r"/(?:datasets/)?([\w.-]+/[\w.-]+)/resolve/([\w.-]+)/(.+)")


@dataclass
class Repository:
    """One repository: what it was made as, and the files of its one branch."""

    kind: str
    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)


class LoopbackHub:
    """The hub; `url` is its address, `lfs` the objects that were uploaded, `cards` those
    that it was asked to check."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.repositories: dict[str, Repository] = {}
        self.lfs: dict[str, bytes] = {}
        self.cards: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                hub.post(self, urlsplit(self.path).path, self._body())

            def do_PUT(self) -> None:
                hub.lfs[self.path.rpartition("/")[2]] = self._body()
                self.answer(200, b"")

            def do_GET(self) -> None:
                hub.get(self, urlsplit(self.path).path)

            do_HEAD = do_GET  # noqa: N815 - their name

            def _body(self) -> bytes:
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def answer(self, status: int, content: bytes, **headers: str) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *arguments: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def post(self, handler: Any, path: str, body: bytes) -> None:
        """Make a repository, announce files, announce LFS objects, or commit."""
        if self.token and handler.headers.get("Authorization") != f"Bearer {self.token}":
            _json(handler, {"error": "Invalid username or password."}, 401)
        elif path == "/api/validate-yaml":
            self.cards.append(json.loads(body)["content"])
            _json(handler, {"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            self._create(handler, json.loads(body))
        elif found := _PREUPLOAD.fullmatch(path):
            _json(handler, {"files": [_mode(each) for each in json.loads(body)["files"]]})
        elif found := _BATCH.fullmatch(path):
            _json(handler, {"transfer": "basic", "objects": self._actions(json.loads(body))})
        elif found := _COMMIT.fullmatch(path):
            self._commit(handler, found[2], [json.loads(line) for line in body.splitlines()])
        else:
            _json(handler, {"error": f"unknown: {path}"}, 404)

    def get(self, handler: Any, path: str) -> None:
        """Tell of a repository, or give a file."""
        if found := _INFO.fullmatch(path):
            repository = self.repositories.get(found[2])
            if repository is None:
                handler.answer(404, b"{}", X_Error_Code="RepoNotFound")
                return
            siblings = [{"rfilename": name} for name in repository.files]
            told = {"id": found[2], "sha": repository.commits[-1], "siblings": siblings}
            _json(handler, {**told, "private": repository.private, "tags": []})
        elif found := _TREE.fullmatch(path):
            files = self.repositories[found[2]].files.items()
            _json(handler, [_entry(name, content) for name, content in files])
        elif (found := _FILE.fullmatch(path)) and found[3] in self.repositories[found[1]].files:
            repository = self.repositories[found[1]]
            content = repository.files[found[3]]
            tag = f'"{hashlib.sha256(content).hexdigest()}"'
            handler.answer(200, content, ETag=tag, X_Repo_Commit=repository.commits[-1])
        else:
            handler.answer(404, b"", X_Error_Code="EntryNotFound")

    def _create(self, handler: Any, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        private = asked.get("private") or asked.get("visibility") == "private"
        known = name in self.repositories
        self.repositories.setdefault(name, Repository(asked.get("type", "model"), bool(private)))
        _json(handler, {"url": f"{self.url}/{name}"}, 409 if known else 200)

    def _actions(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {**each, "actions": {"upload": {"href": f"{self.url}/lfs/{each['oid']}", "header": {}}}}
            for each in asked["objects"]
        ]

    def _commit(self, handler: Any, name: str, lines: list[dict[str, Any]]) -> None:
        repository = self.repositories[name]
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repository.files[value["path"]] = self.lfs[value["oid"]]
        commit = hashlib.sha1(json.dumps(lines).encode()).hexdigest()
        repository.commits.append(commit)
        told = {"success": True, "commitOid": commit, "hookOutput": ""}
        _json(handler, {**told, "commitUrl": f"{self.url}/{name}/commit/{commit}"})


def _mode(file: dict[str, Any]) -> dict[str, Any]:
    is_large = file["size"] >= LFS_BYTES or file["path"].endswith(".safetensors")
    mode = "lfs" if is_large else "regular"
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": None}


def _entry(name: str, content: bytes) -> dict[str, Any]:
    return {
        "type": "file",
        "path": name,
        "size": len(content),
        "oid": hashlib.sha256(content).hexdigest(),
    }


def _json(handler: Any, value: Any, status: int = 200) -> None:
    handler.answer(status, json.dumps(value).encode(), Content_Type="application/json")


@contextmanager
def loopback_hub(token: str = "") -> Iterator[LoopbackHub]:
    """A hub while the block runs; with a token it refuses requests without it."""
    hub = LoopbackHub(token)
    try:
        yield hub
    finally:
        hub.close()
