"""An object store that speaks enough S3 for restic, and keeps its objects in memory.

It asks for the access key, but checks no signature.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY = "test-key"


@dataclass
class FakeS3:
    """The objects by path, `bucket/name`."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def serving() -> Iterator[FakeS3]:
    """A store that listens on loopback, with one bucket called `backups`."""
    store = FakeS3()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), "ETag": '"0"', **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def refuse(self, status: int, code: str) -> None:
            self.answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

        def handle_any(self) -> None:
            url = urlsplit(self.path)
            path, query = unquote(url.path).strip("/"), parse_qs(url.query, keep_blank_values=True)
            body = self.body()
            if f"Credential={KEY}/" not in self.headers.get("Authorization", ""):
                self.refuse(403, "AccessDenied")
            elif path.split("/")[0] != "backups":
                self.refuse(404, "NoSuchBucket")
            elif "location" in query:
                self.answer(200, b"<LocationConstraint></LocationConstraint>")
            elif path == "backups":
                self.answer(200, listing(query["prefix"][0]) if self.command == "GET" else b"")
            elif self.command == "PUT":
                store.objects[path] = body
                self.answer(200)
            elif path not in store.objects:
                self.refuse(404, "NoSuchKey")
            elif self.command == "DELETE":
                del store.objects[path]
                self.answer(204)
            else:
                self.send_object(store.objects[path])

        def send_object(self, content: bytes) -> None:
            modified = {"Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
            asked = self.headers.get("Range")
            if not asked:
                self.answer(200, content, **modified)
                return
            first, _, last = asked.removeprefix("bytes=").partition("-")
            part = content[int(first) : int(last) + 1 if last else None]
            span = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
            self.answer(206, part, Content_Range=span, **modified)

        def body(self) -> bytes:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self.headers.get("X-Amz-Content-Sha256", "").startswith("STREAMING"):
                return body
            content = b""  # in chunks, each behind its size and a signature
            while body:
                head, _, body = body.partition(b"\r\n")
                size = int(head.partition(b";")[0], 16)
                content, body = content + body[:size], body[size + 2 :]
                if not size:
                    break
            return content

        do_GET = do_PUT = do_HEAD = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    def listing(prefix: str) -> bytes:
        found = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(content)}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>0</ETag></Contents>"
            for path, content in sorted(store.objects.items())
            if (name := path.partition("/")[2]).startswith(prefix)
        )
        return (
            f"<ListBucketResult><Name>backups</Name><IsTruncated>false</IsTruncated>{found}"
            "</ListBucketResult>"
        ).encode()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        store.url = f"http://127.0.0.1:{server.server_port}"
        yield store
        server.shutdown()
        thread.join()
