"""What to put into an app, with this app's own keys and this server's address."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from starlette.responses import Response

from bough.accounts.keys import environment
from bough.dashboard.page_context import Here, page
from bough.dashboard.tables import Column, PageTable
from bough.vocabulary.ids import iso_time


class Snippet(NamedTuple):
    """Something to paste."""

    name: str
    where: str
    text: str


@page("settings")
async def sdk(here: Here) -> Response:
    """GET /dashboard/settings/sdk."""
    directory = here.call.context.directory
    key = directory.branch_key(here.app.id, here.test)
    table = PageTable(
        name="branch_keys",
        caption="Keys",
        columns=(
            Column(name="branch_key", label="Branch key", kind="code"),
            Column(name="environment", label="Environment"),
            Column(name="expires_at", label="Ends", kind="time"),
        ),
        rows=[
            {"branch_key": name, "environment": environment(test), "expires_at": ends and iso_time(ends)}
            for name, test, ends in directory.keys_of(here.app.id)
        ],
        empty="The app has no valid key; make one with: bough apps keys APP --rotate live",
    )
    host = here.call.context.settings.base_url.rstrip("/")
    domains = [one.host for one in here.app.domains if one.test == here.test]
    return here.answer(
        "settings_sdk.html", [table], section="sdk", snippets=snippets(key, host, domains),
        secure=host.startswith("https://"),
    )  # fmt: skip


def snippets(key: str, host: str, domains: list[str]) -> list[Snippet]:
    """For each SDK, what docs/sdk-*.md say, filled in."""
    config = msgspec.json.format(
        msgspec.json.encode({"branchKey": key, "liveKey": key, "apiUrl": host}), indent=2
    ).decode()
    hosts = "\n".join(f"applinks:{one.partition(':')[0]}" for one in domains)
    filters = "\n".join(f'<data android:scheme="https" android:host="{one.partition(":")[0]}" />' for one in domains)
    return [
        Snippet("iOS", "AppDelegate, before initSession", f'Branch.setAPIUrl("{host}")\nBranch.setBranchKey("{key}")'),
        Snippet("iOS, associated domains", "Signing & Capabilities", hosts),
        Snippet("Android", "Application.onCreate, before getAutoInstance", f'Branch.setAPIUrl("{host}")'),
        Snippet(
            "Android manifest",
            "AndroidManifest.xml",
            f'<meta-data android:name="io.branch.sdk.BranchKey" android:value="{key}" />\n\n'
            f'<intent-filter android:autoVerify="true">\n{filters}\n</intent-filter>',
        ),
        Snippet("branch.json", "React Native, Capacitor, Unity", config),
        Snippet(
            "Web",
            "before </head>",
            f'<script src="{host}/sdk/branch-shim.js"></script>\n<script src="/js/branch-sdk/build.min.js"></script>\n'
            f'<script>\n  branch.setAPIUrl("{host}");\n  branch.init("{key}");\n</script>',
        ),
        Snippet(
            "Server",
            "any language",
            f"curl -X POST '{host}/v2/event/standard' -H 'Content-Type: application/json' -d '"
            + msgspec.json.encode(
                {"name": "PURCHASE", "branch_key": key, "user_data": {"developer_identity": "user-42"},
                 "event_data": {"revenue": 9.99, "currency": "EUR"}}
            ).decode()
            + "'",
        ),
    ]  # fmt: skip
