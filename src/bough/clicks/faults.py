"""What a person sees when a link cannot be answered as usual: a page that says why and what to do.

Programs that call a link read the API's error object instead. Who follows a link with a browser shall never see that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response

from bough.agents.recognition import parse
from bough.clicks.pages.rendering import HtmlPage, render
from bough.web.errors import error_response


class Fault(NamedTuple):
    """What a page says of a status."""

    heading: str
    reason: str
    next_step: str


UNAVAILABLE = "This link cannot be opened right now"
AGAIN_LATER = "Please try again in a few minutes."
FAULTS = {
    400: Fault(
        "This address cannot be read",
        "The request that arrived here is not complete or not well-formed.",
        "Open the link again where you found it, or ask for a new one there.",
    ),
    405: Fault(
        "A link can only be opened",
        "Something was sent to this address, and links take nothing in.",
        "Go back and open the link itself.",
    ),
    408: Fault(
        "This took too long", "The request did not arrive in time.", "Check your connection and open the link again."
    ),
    414: Fault(
        "This address is too long",
        "More was added to the link than an address may hold.",
        "Open the link without what was added behind the question mark, or ask for a new one where you found it.",
    ),
    429: Fault("Too many people at once", "This link is opened very often right now.", AGAIN_LATER),
    431: Fault(
        "Your browser sent too much",
        "What your browser has stored for this site, its cookies, is more than can be read.",
        "Delete the cookies of this site, or open the link in a private window.",
    ),
    503: Fault(UNAVAILABLE, "The service is being looked after or is very busy.", AGAIN_LATER),
}
"""By HTTP status; the others are like OTHER."""

OTHER = Fault(UNAVAILABLE, "Something went wrong on our side.", AGAIN_LATER)


def wants_page(headers: Headers, method: str = "GET") -> bool:
    """Whether a request asks for a page: whatever accepts HTML, and whatever follows the link and is no program."""
    if "text/html" in headers.get("accept", "").lower():
        return True
    return method in ("GET", "HEAD") and parse(headers.get("user-agent", "")).kind != "program"


def is_persons(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """`wants_page` of a request for a link that was refused with `status` while its headers were still being received
    (as bytes, names in lower case). An address is found too long before any header has come; then it is a person's."""
    return status == 414 or wants_page(Headers(raw=list(headers)))


def fault_page(status: int) -> HtmlPage:
    """The page for a status."""
    return render("fault.html", status, fault=FAULTS.get(status, OTHER))


def fault_response(error: Exception) -> Response:
    """Any exception as an answer to a person's request for a link; one that is not ours is logged."""
    answer = error_response(error)
    page = fault_page(answer.status_code)
    kept = {name: answer.headers[name] for name in ("retry-after", "allow") if name in answer.headers}
    return Response(page.body, page.status, {**dict(page.headers), **kept})
