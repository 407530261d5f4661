"""Link domains: which there are, and whether they work."""

from __future__ import annotations

import asyncio
from typing import Literal, cast

from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.domains import DomainName, add_batch, remove_batch
from bough.accounts.model import Domain
from bough.clicks.domain_checks import check_domain
from bough.dashboard.page_context import Here, page
from bough.dashboard.rendering import html, render
from bough.dashboard.tables import Column, PageTable
from bough.errors import BadRequest, NotFound
from bough.web.bodies import parse_form

KINDS = ("custom", "default", "alternate")


@page("settings")
async def domains(here: Here) -> Response:
    """GET /dashboard/settings/domains."""
    table = PageTable(
        name="domains",
        caption="Link domains",
        columns=(
            Column(name="host", label="Host"),
            Column(name="prefix", label="Prefix"),
            Column(name="environment", label="Environment"),
            Column(name="kind", label="Kind"),
            Column(name="scheme", label="Scheme"),
        ),
        rows=[
            {
                "host": one.host,
                "prefix": one.prefix,
                "environment": "test" if one.test else "live",
                "kind": one.kind,
                "scheme": one.scheme,
            }
            for one in here.app.domains
        ],
        empty="The app has no link domain. Add one below.",
    )
    return here.answer("settings_domains.html", [table], section="domains", kinds=KINDS)


@page("settings")
async def check(here: Here) -> Response:
    """GET /dashboard/settings/domains/check?host=…: the steps of one domain, as a part of the page."""
    host = here.call.query("host") or ""
    domain = next((one for one in here.app.domains if one.host == host), None)
    if domain is None:
        raise NotFound("The app has no such domain.")
    checks = await asyncio.to_thread(check_domain, domain, here.call.context.directory.on_host(host))
    if here.partial:
        return html(render("domain_checks.html", checks=checks))
    table = PageTable(
        name="checks",
        caption=f"Checks of {host}",
        columns=(
            Column(name="name", label="Step"),
            Column(name="ok", label="Fine"),
            Column(name="sentence", label="What was found", kind="long"),
        ),
        rows=[{"name": one.name, "ok": "yes" if one.ok else "no", "sentence": one.sentence} for one in checks],
        empty="There was nothing to check.",
    )
    return here.answer("settings_check.html", [table], section="domains", checks=checks, host=host)


@page("settings")
async def add(here: Here) -> Response:
    """POST /dashboard/settings/domains."""
    fields = parse_form(await here.call.bytes())
    kind, scheme = str(fields.get("kind")), str(fields.get("scheme") or "https")
    if kind not in KINDS or scheme not in ("https", "http"):
        raise BadRequest("kind: must be custom, default or alternate.")
    wanted = Domain(
        host=str(fields.get("host") or "").strip().lower(),
        prefix=str(fields.get("prefix") or "").strip(),
        scheme="http" if scheme == "http" else "https",
        app=here.app.id,
        test=here.test,
        kind=cast("Literal['custom', 'default', 'alternate']", kind),
    )
    await here.call.change(
        add_batch, wanted, lambda one: AuditEntry(action="domain.add", subject=one.host, app=here.app.id)
    )
    here.call.context.refresh()
    return Response(b"", 303, {"Location": here.url("settings/domains")})


@page("settings")
async def remove(here: Here) -> Response:
    """POST /dashboard/settings/domains/remove."""
    fields = parse_form(await here.call.bytes())
    name = DomainName(here.app.id, str(fields.get("host") or "").lower(), str(fields.get("prefix") or ""))
    await here.call.change(
        remove_batch, name, lambda _: AuditEntry(action="domain.remove", subject=name.host, app=here.app.id)
    )
    here.call.context.refresh()
    return Response(b"", 303, {"Location": here.url("settings/domains")})
