"""yaml-language-server, asked as an editor asks it: the Language Server Protocol on its pipes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CAPABILITIES = {
    "workspace": {"configuration": True},
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True}},
        "hover": {"contentFormat": ["markdown"]},
        "publishDiagnostics": {},
    },
}
# Its answers to a server that asks for settings; nothing comes from the network.
SETTINGS = {"yaml": {"schemaStore": {"enable": False}}, "editor": {"tabSize": 2}}
CURSOR = "|"


class LanguageServer:
    """One server for many documents, whose first line names their schema."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=False
        )
        self.last_id = 0
        self.documents = 0
        self.published: dict[str, list[dict[str, Any]]] = {}
        self.request("initialize", processId=os.getpid(), rootUri=None, capabilities=CAPABILITIES)
        self.notify("initialized")

    def stop(self) -> None:
        """End the server."""
        self.process.kill()
        self.process.communicate()

    def diagnostics(self, file: Path, text: str) -> list[str]:
        """What is wrong with the text of the file, each with its line."""
        uri = self._open(file, text)
        while uri not in self.published:
            self._receive()
        self._close(uri)
        found = self.published.pop(uri)
        return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in found]

    def completions(self, file: Path, text: str) -> dict[str, str]:
        """What is proposed at the cursor, by label, and what it would put there."""
        proposed = self._at_cursor("completion", file, text)
        items = proposed["items"] if isinstance(proposed, dict) else proposed
        labels = [item["label"] for item in items]
        assert len(labels) == len(set(labels)), labels
        return {item["label"]: item.get("insertText", "") for item in items}

    def hover(self, file: Path, text: str) -> str:
        """What is told of the key at the cursor."""
        told = self._at_cursor("hover", file, text)
        return str(told["contents"]["value"])

    def _at_cursor(self, what: str, file: Path, text: str) -> Any:
        before, _, after = text.partition(CURSOR)
        uri = self._open(file, before + after)
        line, character = before.count("\n"), len(before.rpartition("\n")[2])
        answer = self.request(
            f"textDocument/{what}",
            textDocument={"uri": uri},
            position={"line": line, "character": character},
        )
        self._close(uri)
        return answer

    def _open(self, file: Path, text: str) -> str:
        self.documents += 1  # each has a name of its own: what was published stays of one before
        uri = file.with_name(f"{self.documents}-{file.name}").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", textDocument=document)
        return uri

    def _close(self, uri: str) -> None:
        self.notify("textDocument/didClose", textDocument={"uri": uri})

    def request(self, method: str, **params: Any) -> Any:
        """The answer to a request."""
        self.last_id += 1
        self._send({"id": self.last_id, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self.last_id and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]

    def notify(self, method: str, **params: Any) -> None:
        """Tell what needs no answer."""
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout
        length = 0
        while header := self.process.stdout.readline().strip():
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        elif message.get("method") == "textDocument/publishDiagnostics":
            self.published[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] == "workspace/configuration":
            return [SETTINGS.get(item["section"]) for item in message["params"]["items"]]
        return None
