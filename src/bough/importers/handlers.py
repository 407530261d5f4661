"""POST /api/costs."""

from __future__ import annotations

from starlette.responses import Response

from bough.accounts.audit import AuditEntry
from bough.accounts.call import Call
from bough.errors import BadRequest
from bough.events.body import decode
from bough.exports import wake_up
from bough.exports.visibility import covered_apps
from bough.importers.costs import added_up, parse_cost, save_batch
from bough.web.responses import json_response

MAX_COSTS = 10_000
MAX_BYTES = 8 * 1024 * 1024


async def add_costs(call: Call) -> Response:
    """Store costs, all or none: those of the same day and dimensions are added up and replace what was there."""
    user = call.user()
    body = decode(await call.bytes(MAX_BYTES), most=MAX_BYTES)
    if not isinstance(body, dict) or not isinstance(body.get("costs"), list):
        raise BadRequest("costs: must be an array of objects.")
    app_id = body.get("app_id") or call.query("app_id")
    if not app_id:
        raise BadRequest("app_id: is missing.")
    (app,) = covered_apps(call, user, {"app_id": app_id}, {})
    if len(body["costs"]) > MAX_COSTS:
        raise BadRequest(f"costs: must have at most {MAX_COSTS} entries.")
    costs = []
    for place, item in enumerate(body["costs"]):
        if not isinstance(item, dict):
            raise BadRequest(f"costs[{place}]: must be an object.")
        try:
            costs.append(parse_cost(item))
        except BadRequest as error:
            raise BadRequest(f"costs[{place}].{error.message}") from error
    sums, clashing = added_up(costs)
    if clashing:
        at, says = clashing[0]
        raise BadRequest(f"costs[{at}].{says}")
    entry = AuditEntry(action="costs.add", subject=str(app.id), app=app.id, details={"costs": len(sums)})
    stored = await call.change(save_batch, (app.id, sums), lambda _: entry if sums else None)
    wake_up.ring(call.context.settings.folder)
    counts = {"added_up": len(costs) - len(sums), "replaced": stored.replaced}
    return json_response({"stored": stored.rows, **{name: count for name, count in counts.items() if count}})
