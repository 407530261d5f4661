"""The ASGI application of one worker: API paths go to the route table, everything else is a click."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from bough.accounts.call import Call
from bough.clicks.faults import fault_page, fault_response, is_persons, wants_page
from bough.clicks.pages.rendering import HtmlPage
from bough.clicks.plans import Plans
from bough.clicks.slow_path import Clicks
from bough.clicks.warm_up import keep_read_in
from bough.condition import Part, Process, this_process
from bough.server.assembly import assemble
from bough.server.fast_paths.clicks import ClickFastPath as ClickShortcut
from bough.server.fast_paths.posts import PostFastPath
from bough.server.route_table import API_SEGMENTS, PAGE_SEGMENTS, TABLE
from bough.settings import Settings, load_settings
from bough.signin.gate import GUARDED, admit
from bough.store import open_store
from bough.web.errors import CORS_HEADERS, error_response
from bough.web.pages import error_page
from bough.web.protocol import BodyFastPath, FastPath, Headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLL_SECONDS = 0.5
"""How soon changes of another host, or of a writer that was killed, are noticed."""


class Application:
    """bough as an ASGI application. What is public here is for `bough.web.protocol`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._changes, self._read_in = Part("changes of links and apps"), Part("links in memory")
        self._store_part, self.sweeping = Part("store"), Part("time limits of connections")
        parts = (self._changes, self._read_in, self._store_part, self.sweeping)
        self._process = Process(settings.folder, this_process(), parts)
        self.context = assemble(settings, open_store(settings.folder, settings.store))
        self.clicks = Clicks(self.context)
        self.shortcut: FastPath | None = ClickShortcut(self.context, Plans())
        self.body_shortcut: BodyFastPath | None = PostFastPath(self.context)
        self._beside: list[asyncio.Task[None]] = []
        """What goes on beside the requests."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            response = await self._respond(Request(scope, receive))
            await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        path: str = request.scope["path"]
        try:
            self.context.refresh()
            if path[1:].partition("/")[0] in API_SEGMENTS:
                return await self._call(request, path)
            return await self.clicks.respond(request)
        except Exception as error:  # noqa: BLE001 - the edge answers every fault, and logs those that are ours
            if path[1:].partition("/")[0] in PAGE_SEGMENTS:
                return error_page(error)
            is_api = path[1:].partition("/")[0] in API_SEGMENTS
            wants_json = is_api or not wants_page(request.headers, request.method)
            return error_response(error) if wants_json else fault_response(error)

    def refusal(self, status: int, url: bytes, headers: Headers) -> HtmlPage | None:
        """The page for a request that the edge refuses, as far as it was received; None when it is no person's."""
        path = unquote(url.partition(b"?")[0].decode("latin-1"))
        is_link = path.startswith("/") and path[1:].partition("/")[0] not in API_SEGMENTS
        return fault_page(status) if is_link and is_persons(status, headers) else None

    async def _call(self, request: Request, path: str) -> Response:
        if request.method == "OPTIONS":
            return _preflight(path)
        route, values = TABLE.find(request.method, path)
        call = Call(request, self.context, {name: unquote(value) for name, value in values.items()})
        if route.access in GUARDED and (redirect := await admit(call, route)) is not None:
            return redirect
        return await route.handler(call)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                loop = asyncio.get_running_loop()
                self._beside = [
                    loop.create_task(self._poll()),
                    loop.create_task(keep_read_in(self.context, self._read_in)),
                ]
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                for task in self._beside:
                    task.cancel()
                self._process.end()
                self.context.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _poll(self) -> None:
        while True:
            self._process.beat()
            await asyncio.sleep(POLL_SECONDS)
            self._changes.attempt(self.context.poll, None)
            self._store_part.attempt(self.context.store.check_writing, None)


def _preflight(path: str) -> Response:
    allowed = ", ".join(TABLE.allowed(path)) or "GET"
    headers = {
        **CORS_HEADERS,
        "Allow": allowed,
        "Access-Control-Allow-Methods": allowed,
        "Access-Control-Allow-Headers": "Content-Type, Access-Token",
        "Access-Control-Max-Age": "86400",
    }
    return Response(b"", 200, headers)


def create_application() -> Application:
    """The application with settings from the environment."""
    return Application(load_settings())
