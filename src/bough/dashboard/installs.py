"""Installs: find a person, device, click or event; what happened to them, and why the credit went where it went."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from bough.attribution.handlers import (
    event_document,
    is_seen_touch,
    seen_persons,
    simulated_document,
)
from bough.attribution.stored.history import SEARCHED
from bough.clicks.decision.explain import PLATFORMS
from bough.dashboard import curl, feed, queries
from bough.dashboard.page_context import Here, page
from bough.dashboard.tables import Column, PageTable
from bough.errors import BadRequest, BoughError, NotFound
from bough.events.body import encode
from bough.links.listing import find_by_id
from bough.links.visibility import sees_link
from bough.persons.reading import find_persons, read_person
from bough.store.journal import BY_ID, to_row
from bough.vocabulary.journal_rows import JournalRow
from bough.web.bodies import parse_form

KINDS = {
    "": "Anything",
    "identity": "Identity",
    "device": "Device id",
    "browser": "Browser id",
    "id": "Click, event or person id",
}
"""What can be searched for, besides the single kinds of ids of SEARCHED."""

GUESSED = ("identity", "device", "browser", "bundle")
RECENT_KINDS = ("install", "open")
PHONES = {one.name: one.user_agent for one in PLATFORMS if one.name in ("iPhone, Safari", "Android, Chrome")}
PERSONS_OF_TOUCH = "SELECT DISTINCT person FROM person_touch WHERE touch = ? AND name <> '' ORDER BY person LIMIT 50"


@page("installs")
async def installs(here: Here) -> Response:
    """GET /dashboard/installs?q=…"""
    person = here.call.query("person") or ""
    if person.isascii() and person.isdigit() and len(person) < 20:
        return Response(b"", 303, {"Location": here.url(f"installs/person/{person}")})
    asked, kind = (here.call.query("q") or "").strip(), here.call.query("kind") or ""
    found: list[dict[str, Any]] = []
    if asked:
        if kind in ("", "id") and (address := await _by_id(here, asked)):
            return Response(b"", 303, {"Location": address})
        found = await _persons(here, kind, asked)
        if len(found) == 1 and here.form == "html":
            return Response(b"", 303, {"Location": here.url(f"installs/person/{found[0]['person_id']}")})
    for row in found:
        row["href"] = here.url(f"installs/person/{row['person_id']}")
    persons = PageTable(
        name="persons",
        caption="Persons found",
        columns=(
            Column(name="person_id", label="Person", kind="code", href="href"),
            Column(name="app_id", label="App", kind="code"),
            Column(name="environment", label="Environment"),
        ),
        rows=found,
        empty="Nobody has this identifier. Look at its spelling, or search for a click id or an event id.",
    )
    recent = await _recent(here)
    return here.answer(
        "installs.html", [persons, recent] if asked else [recent, persons], asked=asked, kind=kind,
        kinds=KINDS, searched=[name for name in SEARCHED if name not in KINDS],
    )  # fmt: skip


@page("installs")
async def person(here: Here) -> Response:
    """GET /dashboard/installs/person/{person_id}."""
    document = await read_person(here.call, here.call.path["person_id"])
    table = PageTable(
        name="timeline",
        caption="Timeline",
        columns=(
            Column(name="at", label="When", kind="time"),
            Column(name="kind", label="Kind"),
            Column(name="name", label="What"),
            Column(name="url", label="Address"),
            Column(name="summary", label="Why", kind="long"),
            Column(name="revenue", label="Revenue"),
            Column(name="currency", label="Currency"),
        ),
        rows=[{**one, "name": one.get("name") or one.get("type")} for one in document["timeline"]],
        empty="Nothing is known of this person.",
        document=_plain(document),
    )
    line = curl.get_line(here, f"/api/persons/{document['person_id']}")
    return here.answer("person.html", [table], document=document, curl=line)


@page("installs")
async def event(here: Here) -> Response:
    """GET /dashboard/installs/event/{event_id}: why it was, or was not, attributed."""
    document = await event_document(here.call, here.call.path["event_id"])
    table = _candidates(document)
    return here.answer(
        "event.html", [table], document=document, curl=curl.get_line(here, f"/api/attribution/{document['event_id']}")
    )


@page("installs")
async def click(here: Here) -> Response:
    """GET /dashboard/installs/click/{id}: a click, and whom it brought."""
    row = await _row(here, here.call.path["id"])
    if row is None or row.kind not in ("click", "impression", "prefetch", "robot"):
        raise NotFound("There is no such click.")
    store = here.call.context.store
    listed = await store.fetch(PERSONS_OF_TOUCH, (row.id,))
    persons = await seen_persons(here.call, [one for (one,) in listed])
    table = PageTable(
        name="persons",
        caption="Persons who have this touch",
        columns=(Column(name="person_id", label="Person", kind="code", href="href"),),
        rows=[{"person_id": str(one), "href": here.url(f"installs/person/{one}")} for one in persons],
        empty="Nobody has been matched to this click. The simulator shows what an opening would need for it.",
        document={"click_id": str(row.id), "kind": row.kind, "at": row.at, **row.body,
                  "persons": [str(one) for one in persons]},
    )  # fmt: skip
    return here.answer("click.html", [table], row=row, line=feed.line_of(
        (row.id, row.at, row.app, row.test, row.kind if row.kind in feed.LABELS else "click", row.link,
         msgspec.json.encode(row.body).decode())))  # fmt: skip


@page("installs")
async def simulator(here: Here) -> Response:
    """GET and POST /dashboard/installs/simulator: what one click and one opening would lead to."""
    fields: dict[str, Any] = {"phone": "iPhone, Safari", "delay": "60", "opening": "install", "evidence": "none"}
    document, problem, body = None, "", {}
    if here.call.request.method == "POST":
        fields |= parse_form(await here.call.bytes())
        try:
            body = scene_of(fields)
            document = await simulated_document(here.call, body)
        except BoughError as error:
            problem = error.message
    elif url := here.call.query("url"):
        fields["url"] = url
    return here.answer(
        "simulator.html", [_candidates(document)] if document else [], fields=fields, document=document,
        problem=problem, phones=list(PHONES), evidences=EVIDENCES,
        curl=curl.line(here, "POST", "/api/simulate", body) if body else "",
    )  # fmt: skip


EVIDENCES = {
    "none": "Nothing but the same network address and phone",
    "click_id": "The click's id (link_identifier)",
    "url": "The link itself opened the app (universal link or app link)",
    "referrer": "The Play Store's referrer",
    "other_address": "Nothing, from another network",
}
"""What the opening knows of the click."""


def scene_of(fields: dict[str, Any]) -> dict[str, Any]:
    """The simulator's form as the body of POST /api/simulate. Raises BadRequest naming the field."""
    phone, evidence = str(fields.get("phone")), str(fields.get("evidence"))
    if phone not in PHONES:
        raise BadRequest("phone: choose one of the phones.")
    if evidence not in EVIDENCES:
        raise BadRequest("evidence: choose one of the list.")
    delay = str(fields.get("delay") or "0").strip()
    if not (delay.isascii() and delay.isdigit() and len(delay) < 10):
        raise BadRequest("delay: must be whole seconds.")
    is_ios = phone.startswith("iPhone")
    device = {
        "os": "iOS" if is_ios else "Android",
        "os_version": "17.4.1" if is_ios else "14",
        "brand": "Apple" if is_ios else "Google",
        "model": "iPhone" if is_ios else "Pixel 8",
        "hardware_id": "5F1A7C6E-0000-4000-8000-000000000001" if is_ios else "a1b2c3d4e5f60718",
        "is_hardware_id_real": True,
    }
    if evidence == "click_id":
        device["link_identifier"] = "CLICK_ID"
    elif evidence == "url":
        device["universal_link_url" if is_ios else "android_app_link_url"] = str(fields.get("url") or "")
    elif evidence == "referrer":
        device["install_referrer_extras"] = "link_click_id%3DCLICK_ID"
    address = "198.51.100.1" if evidence == "other_address" else "203.0.113.7"
    return {
        "url": str(fields.get("url") or "").strip(),
        "delay": int(delay),
        "touch": str(fields.get("touch") or "click"),
        "click": {"user_agent": PHONES[phone], "ip": "203.0.113.7"},
        "opening": str(fields.get("opening") or "install"),
        "open": {"body": device, "ip": address, "user_agent": PHONES[phone]},
    }


def _candidates(document: dict[str, Any] | None) -> PageTable:
    explanation = (document or {}).get("explanation") or {}
    lines = [
        {**line, "for": name}
        for name, key in (("credit", "credit"), ("link data", "deep_link"))
        for line in explanation.get(key, ())
    ]
    return PageTable(
        name="candidates",
        caption="Every candidate",
        columns=(
            Column(name="for", label="For"),
            Column(name="chosen", label="Chosen"),
            Column(name="sentence", label="Verdict in words", kind="long"),
            Column(name="rule", label="Rule", kind="code"),
            Column(name="verdict", label="Verdict", kind="code"),
            Column(name="at", label="When", kind="time"),
            Column(name="touch", label="Touch", kind="code"),
            Column(name="link", label="Link"),
        ),
        rows=[{**line, "chosen": "yes" if line.get("chosen") else "no"} for line in lines],
        empty="There was no candidate: no click or view of this person, device or network was found in time.",
        document=_plain(document) if document else None,
    )


def _plain(document: dict[str, Any]) -> Any:
    """Decimals as the API writes them."""
    return msgspec.Raw(encode(document))


async def _persons(here: Here, kind: str, asked: str) -> list[dict[str, Any]]:
    if kind and kind not in SEARCHED:
        if kind == "id":
            return []
        raise BadRequest(f"kind: must be one of {', '.join(SEARCHED)}.")
    found: dict[str, dict[str, Any]] = {}
    for name in (kind,) if kind else GUESSED:
        document = await find_persons(here.call, name, asked)
        for one in document["persons"]:
            if one["app_id"] == str(here.app.id) and (one["environment"] == "test") == here.test:
                found[one["person_id"]] = one
    return list(found.values())


async def _row(here: Here, text: str) -> JournalRow | None:
    """A journal row of the chosen app's environment that the user may see, or None."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**63):
        return None
    rows = await here.call.context.store.fetch(BY_ID, (int(text),))
    row = to_row(rows[0]) if rows else None
    if row is None or row.app != here.app.id or row.test != here.test:
        return None
    if here.limited:
        if row.link is None:
            return None
        listed = await here.call.context.store.beside(find_by_id, here.call.context.store.rows, row.link)
        if listed is None or not sees_link(here.user, listed.link) or not await is_seen_touch(here.call, row):
            return None
    return row


async def _by_id(here: Here, asked: str) -> str:
    """The page of a click, event or person with this id; empty when there is none."""
    row = await _row(here, asked)
    if row is None:
        return ""
    if row.kind in ("click", "impression", "prefetch", "robot"):
        return here.url(f"installs/click/{row.id}")
    return here.url(f"installs/event/{row.id}")


async def _recent(here: Here) -> PageTable:
    rows = [] if here.limited else await here.call.context.store.fetch(queries.NEWEST_ROWS, (feed.ROWS_AT_ONCE,))
    rows = [row for row in rows if row[4] in RECENT_KINDS]
    found = feed.lines(rows, here.app.id, here.test, 50)
    return PageTable(
        name="recent",
        caption="Newest installs and opens",
        columns=(
            Column(name="at", label="When", kind="time"),
            Column(name="label", label="What", href="href"),
            Column(name="detail", label="Device"),
            Column(name="id", label="Event", kind="code"),
        ),
        rows=[
            {
                "at": line.at,
                "label": line.label,
                "detail": line.detail,
                "id": str(line.id),
                "href": here.url(f"installs/event/{line.id}"),
            }
            for line in found
        ],
        empty="None among what happened last. Settings, SDK shows what to put into your app; the simulator plays one.",
    )
