"""A customer's site on loopback, with Branch's Web SDK in its pages."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Books</title>
<meta property="og:title" content="Books"></head><body>{shim}<script src="/sdk.js"></script><script>
if ({set_url}) branch.setAPIUrl({host});
window.ready = new Promise(function (done) {{
  branch.init(new URLSearchParams(location.search).get("key") || {key}, {{}}, function (error, data) {{
    done({{error: error ? String(error.message || error) : null, data: data}});
  }});
}});
function ask(name, args) {{
  return new Promise(function (done) {{
    branch[name].apply(branch, (args || []).concat(function (error, data) {{
      done({{error: error ? String(error.message || error) : null, data: data}});
    }}));
  }});
}}
</script></body></html>"""


class Site:
    """Serves the same page at every path, and the SDK at /sdk.js. `?key=` on a page stands for another branch key."""

    def __init__(self, sdk: str, api: str, key: str, *, shim: bool) -> None:
        page = PAGE.format(
            shim=f'<script src="{api}/sdk/branch-shim.js"></script>' if shim else "",
            set_url="true" if shim else "false",
            host=json.dumps(api),
            key=json.dumps(key),
        ).encode()
        script = sdk.encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, kind = (script, "text/javascript") if self.path == "/sdk.js" else (page, "text/html")
                if self.path == "/favicon.ico":
                    body = b""
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: what the browser asked for is asserted in the tests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
