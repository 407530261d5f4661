"""Branch's Deep Linking API: /v1/url and /v1/url/bulk (docs/links.md)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call, Caller
from bough.accounts.directory import Credential
from bough.accounts.model import App, Domain
from bough.errors import BadRequest, BoughError, Forbidden, NotFound
from bough.links import actions
from bough.links.address import Address, parse_address
from bough.links.change import check_not_updatable, expiry, is_expired, new_link, updated_link
from bough.links.document import link_url, read_document, update_document
from bough.links.entries import CREDENTIALS, changed_entry
from bough.links.model import Link, LinkType
from bough.links.parameters import parse_parameters
from bough.links.targets import check_targets
from bough.links.visibility import sees_link
from bough.vocabulary.ids import now_ms
from bough.web.responses import json_response

MAX_BULK_BYTES = 100 * 1024


async def create(call: Call) -> Response:
    """POST /v1/url."""
    body = await call.object()
    owner = call.credential(body)
    call.context.limits.check_app(owner.app, "create")
    link = await create_one(call, owner, body)
    return json_response({"url": link_url(link, owner.app)})


async def create_one(call: Call, owner: Credential, body: dict[str, Any]) -> Link:
    """Create the link that a request body describes; durable when it returns."""
    created = (await call.context.store.write(actions.create_batch, [draft(call, owner, body)]))[0]
    if isinstance(created, BoughError):
        raise created
    return created


async def create_bulk(call: Call) -> Response:
    """POST /v1/url/bulk/{branch_key}: 200 when at least one item succeeded, 400 with the same array when none did."""
    items = await call.value(MAX_BULK_BYTES)
    key = call.path["branch_key"]
    owner = call.context.directory.by_app_id(key) if key.isdigit() else call.context.directory.by_key(key)
    if not isinstance(items, list):
        raise BadRequest("The body must be a JSON array of link parameters.")
    call.context.limits.check_app(owner.app, "create")
    answers = await create_many(call, owner, items)
    return json_response(answers, 200 if any("url" in answer for answer in answers) else 400)


async def create_many(call: Call, owner: Credential, items: list[Any]) -> list[dict[str, str]]:
    """Create links in one transaction; one `{"url"}` or `{"error"}` per item, in order."""
    answers: list[dict[str, str]] = [{}] * len(items)
    drafts: dict[int, actions.Draft] = {}
    for index, item in enumerate(items):
        try:
            if not isinstance(item, dict):
                raise BadRequest("The item must be an object of link parameters.")
            drafts[index] = draft(call, owner, item)
        except BoughError as error:
            answers[index] = {"error": error.message}
    if drafts:
        created = await call.context.store.write(actions.create_batch, list(drafts.values()))
        for index, link in zip(drafts, created, strict=True):
            answers[index] = (
                {"error": link.message} if isinstance(link, BoughError) else {"url": link_url(link, owner.app)}
            )
    return answers


async def read(call: Call) -> Response:
    """GET /v1/url: reading a link that can expire gives it its whole time again.

    Branch's text lists key and url as body parameters, its example has them in the query: both are read.
    """
    body = await call.object() if await call.bytes() else {}
    owner = call.credential(body)
    call.context.limits.check_app(owner.app, "read")
    link = await owned_link(call, owner, _url(call, body))
    if link.expires_at is not None:
        await _extend(call, owner.app, link)
    return json_response(read_document(link, link_url(link, owner.app)))


async def update(call: Call) -> Response:
    """PUT /v1/url."""
    body = await call.object()
    owner = call.secret_credential(body)
    call.context.limits.check_app(owner.app, "update")
    address = parse_address(_url(call, body), call.context.directory)
    if address.domain == "bnc.lt" and address.path.startswith(("c/", "d/")):
        raise BadRequest("url: links of the form bnc.lt/c/… and bnc.lt/d/… cannot be updated.")
    parameters = parse_parameters({**body, "alias": None, "domain": None, "identity": None, "type": None})
    if parameters.data:
        check_targets(parameters.data, owner.app)
    now = now_ms()

    def change(link: Link) -> Link:
        if is_expired(link, owner.app, now):
            raise NotFound
        check_not_updatable(link, owner.app, body)
        return updated_link(link, parameters, now)

    link = await call.change(
        actions.change_batch,
        _change_of(address, owner.app, owner.test, change),
        lambda link: changed_entry(link, owner.app, sorted(set(body) - CREDENTIALS)),
        owner,
    )
    return json_response(update_document(link, link_url(link, owner.app)))


async def delete(call: Call) -> Response:
    """DELETE /v1/url: with a user's token, or with the app's key and secret as older clients do."""
    body = await call.object()
    url = _url(call, body)
    app, test, secret = _may_delete(call, body)
    call.context.limits.check_app(app, "delete")
    address = parse_address(url, call.context.directory)

    def change(link: Link) -> None:
        if link.test and app.config.test_env_delete == "deny":
            raise Forbidden("Links of the test environment cannot be deleted.")
        if secret is None and not sees_link(call.user(), link):
            raise NotFound

    await call.change(
        actions.change_batch,
        _change_of(address, app, test, change),
        lambda link: AuditEntry(
            action="link.delete", subject=link_url(link, app), app=app.id, details={"id": str(link.id)}
        ),
        secret,
    )
    return json_response({"url": url, "deleted": True})


def draft(call: Caller, owner: Credential, body: dict[str, Any]) -> actions.Draft:
    """The link that a request body describes, not stored yet. Raises BoughError naming the field."""
    app = owner.app
    parameters = parse_parameters(body)
    if parameters.type == LinkType.MARKETING and not app.config.allow_type2:
        raise Forbidden("You don't have access to this type. Please try again with type 0 (default) or 1.")
    if parameters.data:
        check_targets(parameters.data, app)
    domain = _domain(app, owner.test, parameters.domain)
    if parameters.alias is not None and not domain.prefix:
        segment, slash, _ = parameters.alias.partition("/")
        if slash and call.context.directory.domain(domain.host, segment) is not None:
            raise BadRequest(f"alias: '{segment}' is another app's address on {domain.host}.")
    link = new_link(parameters, app, domain, now_ms())
    return actions.Draft(link=link, prefix=domain.prefix, conflict_status=app.config.alias_conflict_status)


async def owned_link(call: Call, owner: Credential, url: object) -> Link:
    """The live link at `url`, when it belongs to the caller's app and environment. Raises NotFound."""
    address = parse_address(url, call.context.directory)
    link = await actions.find(call.context.store, address.domain, address.path)
    if link is None or link.app != owner.app.id or link.test != owner.test or is_expired(link, owner.app, now_ms()):
        raise NotFound
    return link


def _url(call: Call, body: dict[str, Any]) -> object:
    """The link's address: in the query, or in the body as `url` or, as Branch's tables have it, `URL`."""
    return call.query("url") or body.get("url") or body.get("URL")


def _change_of(address: Address, app: App, test: bool | None, change: Any) -> actions.LinkChange:
    return actions.LinkChange(domain=address.domain, path=address.path, app=app.id, test=test, change=change)


def _may_delete(call: Call, body: dict[str, Any]) -> tuple[App, bool | None, Credential | None]:
    """The app whose links the caller may delete, and its environment and credential when a key names it."""
    if body.get("branch_secret"):
        owner = call.secret_credential(body)
        return owner.app, owner.test, owner
    app_id = str(call.query("app_id") or body.get("app_id") or "")
    apps = list(call.context.directory.apps_of(call.user()).values())
    if app_id:
        apps = [a for a in apps if str(a.id) == app_id]
    else:
        address = parse_address(_url(call, body), call.context.directory)
        domain = call.context.directory.domain_of_path(address.domain, address.path)
        apps = [a for a in apps if domain is not None and a.id == domain.app]
    if not apps:
        raise NotFound
    return apps[0], None, None


def _domain(app: App, test: bool, wanted: str | None) -> Domain:
    if wanted is None:
        domain = app.domain(test)
        if domain is None:
            raise BadRequest(f"The app has no link domain for its {'test' if test else 'live'} environment.")
        return domain
    host = wanted.lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    for domain in app.domains:
        if domain.test == test and domain.kind != "alternate" and host == domain.host:
            return domain
    raise BadRequest(f"domain: {wanted!r} is not a link domain of this app.")


async def _extend(call: Call, app: App, link: Link) -> None:
    """Give a link that can expire its whole time again."""
    until = expiry(app, link.type, now_ms())
    if until is not None:
        await call.context.store.write(actions.extend_batch, (until, link.id))
