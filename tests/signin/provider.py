"""A small OpenID provider in a process of its own: the code flow with PKCE, and every way to get it wrong.

Run as ``python -m tests.signin.provider PORT FOLDER``. What it says of the person is in FOLDER/say.json.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.running import end_with_the_tests, free_port, wait_until


class Provider:
    """Starts the process and tells it what to say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}"
        self.say()
        command = [sys.executable, "-m", "tests.signin.provider", str(port), str(folder)]
        with (folder / "provider.log").open("wb") as log:
            self._process = subprocess.Popen(command, preexec_fn=end_with_the_tests, stderr=log)
        wait_until(self._answers, 30, lambda: (folder / "provider.log").read_text()[-2000:])

    def say(self, **said: str) -> None:
        """What the next ID tokens say."""
        (self._folder / "say.json").write_text(json.dumps(said))

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.issuer}/keys", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FOREIGN = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Handler(BaseHTTPRequestHandler):
    """The provider's four addresses."""

    issuer = ""
    folder = Path()
    codes: dict[str, dict[str, str]] = {}  # noqa: RUF012 - of the process

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if parts.path == "/.well-known/openid-configuration":
            self._json(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                }
            )
        elif parts.path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            self._json({"keys": [{**public, "kid": "1", "use": "sig", "alg": "RS256"}]})
        elif parts.path == "/authorize":
            assert query["response_type"] == "code"
            assert query["client_id"] == "bough"
            code = base64.urlsafe_b64encode(hashlib.sha256(query["state"].encode()).digest()).decode()
            self.codes[code] = query
            back = {"code": code, "state": query["state"], "iss": self.issuer}
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        said: dict[str, str] = json.loads((self.folder / "say.json").read_text())
        pair = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode().split(":")
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        known = [unquote(one) for one in pair] == ["bough", "a secret/with +signs"]
        fits = asked is not None and challenge.rstrip("=") == asked["code_challenge"]
        refused = not known or not fits or said.get("verifier") == "refuse"
        if refused or asked is None or asked["redirect_uri"] != form["redirect_uri"]:
            self._json({"error": "invalid_grant"}, 400)
        else:
            self._json({"access_token": "x", "token_type": "Bearer", "id_token": _token(asked, said, self.issuer)})

    def _json(self, document: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _token(asked: dict[str, str], said: dict[str, str], issuer: str) -> str:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": said.get("iss", issuer),
        "aud": said.get("aud", "bough"),
        "sub": said.get("sub", ""),
        "email": said.get("email", ""),
        "email_verified": said.get("email_verified", "true") == "true",
        "nonce": said.get("nonce", asked["nonce"]),
        "iat": now,
        "exp": int(said.get("exp", now + 60)),
    }
    algorithm = said.get("alg", "RS256")
    key: Any = FOREIGN if said.get("key") == "foreign" else KEY
    if algorithm == "none":
        key = None
    elif algorithm == "HS256":
        key = "the secret that both know, long enough for an HMAC key"
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "1"})


if __name__ == "__main__":
    Handler.issuer = f"http://127.0.0.1:{sys.argv[1]}"
    Handler.folder = Path(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
