"""The route table of attribution."""

from __future__ import annotations

from bough.attribution import handlers
from bough.web.routing import JSON, Parameter, Route

_TOKEN = Parameter(name="Access-Token", meaning="A user's token.", required=True, place="header")

ATTRIBUTION_ROUTES = (
    Route(
        method="GET",
        path="/api/attribution/{event_id}",
        handler=handlers.event,
        name="explainAttribution",
        access="token",
        needs=("sensitive_data",),
        summary="Why an event was or was not attributed",
        notes="For an open or install the candidates for link data are looked up"
        " again as they stood then; what was answered stays the answer.",
        parameters=(
            _TOKEN,
            Parameter(name="event_id", meaning="The event's journal row.", required=True, place="path"),
        ),
        errors=(404,),
        answer="The event, its touch, and an explanation in sentences: every candidate, rule and window.",
    ),
    Route(
        method="POST",
        path="/api/simulate",
        handler=handlers.play,
        name="simulateAttribution",
        access="token",
        needs=("sensitive_data",),
        summary="What would happen, and why",
        notes="Plays one click and one open with the functions that attribute real ones, and writes nothing."
        " CLICK_ID in the open's values becomes the click's id. An open that names no device or address comes from the"
        " phone and the address that clicked.",
        parameters=(
            _TOKEN,
            Parameter(name="url", meaning="Address of the link that is clicked, its query included."),
            Parameter(name="link_id", meaning="Its id, in place of the address."),
            Parameter(name="delay", meaning="Seconds from click to open (0).", kind="integer"),
            Parameter(name="touch", meaning="click, impression, prefetch or robot."),
            Parameter(name="click", meaning="user_agent, ip, country, browser and referrer.", kind="object"),
            Parameter(name="opening", meaning="install or open."),
            Parameter(name="open", meaning="body (the SDK's fields), ip and user_agent.", kind="object"),
        ),
        consumes=(JSON,),
        errors=(404,),
        answer="As the explanation of an event.",
    ),
    Route(
        method="POST",
        path="/api/rates",
        handler=handlers.add_rates,
        name="addRates",
        access="token",
        needs=("settings",),
        level="organization",
        summary="Add exchange rates",
        notes="A rate, once given, stands unless `replace` is true.",
        parameters=(
            _TOKEN,
            Parameter(
                name="rates",
                meaning="At most 20,000; the bare array is taken, too.",
                required=True,
                kind="array",
                entries="object",
                fields=(
                    Parameter(name="date", meaning="YYYY-MM-DD.", required=True),
                    Parameter(name="currency", meaning="ISO 4217.", required=True),
                    Parameter(name="usd_rate", meaning="Dollars for one unit, above 0.", required=True, kind="number"),
                ),
            ),
            Parameter(name="replace", meaning="Take rates that differ from standing ones.", kind="boolean"),
        ),
        consumes=(JSON,),
        body_limit=handlers.MAX_RATES_BYTES,
        answer="How many were added, unchanged, replaced, and which were refused.",
    ),
)
