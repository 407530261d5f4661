"""The operation that explains clicks."""

from __future__ import annotations

from bough.clicks import handlers
from bough.links.address import MAX_URL
from bough.web.routing import Parameter, Route

DECISION = (
    Parameter(name="platform", meaning="Who; `You` for the User-Agent that was sent.", required=True),
    Parameter(name="user_agent", meaning="What was decided for.", required=True),
    Parameter(name="installed", meaning="Whether the app was taken to be there.", kind="boolean", required=True),
    Parameter(name="kind", choices=("redirect", "page"), required=True),
    Parameter(name="page", meaning="Which page, for `page`.", nullable=True, required=True),
    Parameter(name="target", meaning="Where the visitor is sent at once.", nullable=True, required=True),
    Parameter(name="app_url", meaning="What a page tries first to open the app.", nullable=True, required=True),
    Parameter(name="fallback", meaning="Where a page leads when the app does not open.", nullable=True, required=True),
    Parameter(name="parameters", meaning="Query parameters appended to the target.", kind="object", required=True),
    Parameter(
        name="appends_match_id", meaning="Whether `_branch_match_id` is appended, too.", kind="boolean", required=True
    ),
    Parameter(name="rule", meaning="What decided.", required=True),
    Parameter(name="target_rule", meaning="What gave the target.", required=True),
    Parameter(name="reason", meaning="One sentence that names the key.", required=True),
)

ROUTES = (
    Route(
        method="POST",
        path="/api/decide",
        handler=handlers.decide_link,
        access="token",
        name="decide",
        group="Link management",
        summary="Say where a link leads, and why",
        notes="With `user_agent` for that visitor, without for every platform. Nothing is counted.",
        parameters=(
            Parameter(name="url", meaning="The link's address; it may carry a query.", required=True, maximum=MAX_URL),
            Parameter(name="user_agent", meaning="Of one visitor.", maximum=handlers.MAX_USER_AGENT),
            Parameter(name="country", meaning="ISO 3166 alpha-2 of the visitor's address.", maximum=2),
            Parameter(name="installed", meaning="Whether the visitor is known to have the app.", kind="boolean"),
            Parameter(name="query", meaning="Parameters appended to the link, besides those in `url`.", kind="object"),
        ),
        consumes=("application/json",),
        answer="The link, null when there is none, and a decision for each visitor.",
        answers=(
            Parameter(
                name="link",
                kind="object",
                nullable=True,
                required=True,
                fields=(
                    Parameter(
                        name="id",
                        meaning="Null for a long link, which is stored nowhere.",
                        nullable=True,
                        required=True,
                    ),
                    Parameter(name="url", required=True),
                ),
            ),
            Parameter(name="decisions", kind="array", entries="object", fields=DECISION, required=True),
        ),
        errors=(404,),
    ),
)
