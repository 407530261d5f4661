"""A real S3 server (moto) in a process of its own on loopback, and a gate in front of it that can hold an upload."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.running import end_with_the_tests, free_port, wait_until

BUCKET = "finished"
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=key/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


class ObjectServer:
    """The server, with one empty bucket."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, headers={"Authorization": AUTHORIZATION}, trust_env=False)
        command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with (folder / "objects.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=end_with_the_tests)
        wait_until(self._answers, 30, (folder / "objects.log").read_text)
        assert self.http.put(f"/{BUCKET}").status_code == 200

    def environment(self, url: str = "") -> dict[str, str]:
        """What a bough needs to store its files here, or through a gate at `url`."""
        return {
            "BOUGH_EXPORT_FILES": f"s3://{BUCKET}/bough/files",
            "AWS_ENDPOINT_URL": url or self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    def listed(self, prefix: str = "") -> list[str]:
        """The names of all objects below a prefix."""
        answer = self.http.get(f"/{BUCKET}", params={"list-type": "2", "prefix": prefix})
        assert answer.status_code == 200, answer.text
        return re.findall(r"<Key>([^<]*)</Key>", answer.text)

    def content(self, key: str) -> bytes:
        """An object."""
        found = self.http.get(f"/{BUCKET}/{key}")
        assert found.status_code == 200, found.text
        return found.content

    def stop(self) -> None:
        """End it."""
        self.http.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def _answers(self) -> bool:
        assert self.process.poll() is None
        try:
            return self.http.get("/").status_code == 200
        except httpx.TransportError:
            return False


class Gate:
    """Passes requests on to an S3 server; the first PUT waits before or after that until `open` is set, unanswered."""

    def __init__(self, behind: str, *, after: bool) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        held = threading.Lock()
        target = urlsplit(behind).netloc
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                holding = self.command == "PUT" and held.acquire(blocking=False)
                if holding and not after:
                    gate.wait()
                    return  # whoever sent it is dead
                upstream = http.client.HTTPConnection(target, timeout=30)
                upstream.request(self.command, self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                content = answer.read()
                upstream.close()
                if holding:
                    gate.wait()
                    return
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = _pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def wait(self) -> None:
        """Tell that the request is here, and hold it."""
        self.reached.set()
        self.open.wait(60)

    def close(self) -> None:
        """End it."""
        self.open.set()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
