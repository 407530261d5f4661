from __future__ import annotations

import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bough.errors import BadRequest
from bough.web.fetch import Address, fetch_public, is_public

Answer = Callable[[socket.socket], None]


def loopback(address: Address) -> bool:
    return address.is_loopback


def sends(*pieces: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return answer


def body(content: bytes) -> Answer:
    return sends(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content), content)


class Server:
    """Answers each connection in turn with the next of `answers`; keeps what was asked."""

    def __init__(self, answers: list[Answer], tls: ssl.SSLContext | None = None) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.connections = 0
        self.tls = tls
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        self.thread = threading.Thread(target=self._serve)

    def url(self, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def _serve(self) -> None:
        for answer in self.answers:
            try:
                connection, _ = self.socket.accept()
            except OSError:  # the test is over
                return
            self.connections += 1
            with connection:
                self._converse(connection, answer)

    def _converse(self, connection: socket.socket, answer: Answer) -> None:
        try:
            with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as stream:
                self.requests.append(stream.recv(65536))
                answer(stream)
        except OSError:  # the client hung up, which some of the tests are about
            return


@contextmanager
def serving(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(list(answers), tls)
    server.thread.start()
    try:
        yield server
    finally:
        server.socket.shutdown(socket.SHUT_RDWR)
        server.socket.close()
        server.thread.join()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "2002:7f00:1::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "4000::1",
    ],
)
def test_addresses_of_our_own_network_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"]
)
def test_a_loopback_server_is_never_contacted(host: str) -> None:
    with serving(body(b"secret")) as server:
        with pytest.raises(BadRequest, match=r"not on the public Internet|cannot be resolved"):
            fetch_public(f"http://{host}:{server.port}/", 100, 2)
        assert server.connections == 0


def test_an_allowed_address_is_fetched_with_its_own_host_header() -> None:
    with serving(body(b"hello")) as server:
        assert fetch_public(server.url("/a/b.png?c=%20d"), 5, 2, allow=loopback) == b"hello"
        head = server.requests[0].decode()
    assert head.startswith("GET /a/b.png?c=%20d HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in head


def test_chunked_bodies_and_bodies_without_a_length_are_read_whole() -> None:
    chunked = sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
    until_close = sends(b"HTTP/1.0 200 OK\r\n\r\n", b"abc", b"de")
    with serving(chunked, until_close) as server:
        assert fetch_public(server.url(), 100, 2, allow=loopback) == b"abcde"
        assert fetch_public(server.url(), 100, 2, allow=loopback) == b"abcde"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "data:image/png;base64,AAAA",
        "http://",
        "http:///path",
        "//example.com/x",
        "http://user:pass@example.com/",
        "http://exa mple.com/",
        "http://example.com/\r\nX-Evil: 1",
        "http://example.com:99999/",
        "http://[::1/",
        "http://example.com/é",
        "http://" + "a" * 64 + ".com/",
        "http://example.com/" + "a" * 3000,
    ],
)
def test_what_is_not_a_plain_http_url_is_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        fetch_public(url, 100, 2, allow=lambda address: True)


def test_a_redirect_to_a_refused_address_is_not_followed() -> None:
    with serving(body(b"secret")) as inner:
        location = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:{inner.port}/\r\n\r\n".encode()
        with serving(sends(location)) as outer, pytest.raises(BadRequest, match="not on the public Internet"):
            fetch_public(outer.url(), 100, 2, allow=lambda address: str(address) == "127.0.0.1")
        assert inner.connections == 0


def test_a_redirect_to_another_scheme_is_not_followed() -> None:
    turn = sends(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n")
    with serving(turn) as server, pytest.raises(BadRequest, match="http or https"):
        fetch_public(server.url(), 100, 2, allow=loopback)


def test_an_allowed_redirect_is_followed_and_a_circle_is_left() -> None:
    turn = sends(b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n")
    with serving(turn, body(b"there")) as server:
        assert fetch_public(server.url(), 100, 2, allow=loopback) == b"there"
        assert server.requests[1].startswith(b"GET /again ")
    with serving(turn, turn, turn, turn, turn) as server:
        with pytest.raises(BadRequest, match="more than 3 times"):
            fetch_public(server.url(), 100, 2, allow=loopback)
        assert server.connections == 4


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:  # ends when the client hangs up
        connection.sendall(b"x" * 4096)


def test_a_body_above_the_limit_is_given_up() -> None:
    with serving(body(b"123456"), endless) as server:
        with pytest.raises(BadRequest, match="larger than 5 bytes"):
            fetch_public(server.url(), 5, 2, allow=loopback)
        with pytest.raises(BadRequest, match="larger than 100000 bytes"):
            fetch_public(server.url(), 100_000, 2, allow=loopback)


def silent(connection: socket.socket) -> None:
    while connection.recv(1024):  # ends when the client hangs up
        pass


def dripping(start: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        connection.settimeout(0.02)
        while True:
            connection.sendall(b"a")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    return answer


@pytest.mark.parametrize(
    "answer", [silent, dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "), dripping(b"HTTP/1.1 200 OK\r\n\r\n")]
)
def test_a_slow_answer_ends_at_the_time_limit_however_it_drips(answer: Answer) -> None:
    with serving(answer) as server:
        started = time.monotonic()
        with pytest.raises(BadRequest, match="took too long"):
            fetch_public(server.url(), 100_000, 0.3, allow=loopback)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (sends(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "status 404"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), "cannot be fetched"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), "compression"),
        (sends(b"nonsense\r\n\r\n"), "cannot be fetched"),
    ],
)
def test_an_answer_that_is_no_whole_file_is_refused(answer: Answer, message: str) -> None:
    with serving(answer) as server, pytest.raises(BadRequest, match=message):
        fetch_public(server.url(), 100, 2, allow=loopback)


def test_a_refused_connection_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(BadRequest, match="cannot be fetched"):
        fetch_public(f"http://127.0.0.1:{port}/", 100, 2, allow=loopback)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    what = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    command = [openssl, *what.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    return both


def test_https_is_fetched_and_an_unknown_certificate_is_refused(certificate: Path) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with serving(body(b"safe"), body(b"unsafe"), tls=served) as server:
        assert fetch_public(server.url(scheme="https"), 100, 2, allow=loopback, tls=trusting) == b"safe"
        with pytest.raises(BadRequest, match="SSLCertVerificationError"):
            fetch_public(server.url(scheme="https"), 100, 2, allow=loopback)


def test_a_silent_tls_handshake_ends_at_the_time_limit() -> None:
    with serving(silent) as server, pytest.raises(BadRequest, match="took too long"):
        fetch_public(server.url(scheme="https"), 100, 0.3, allow=loopback)
