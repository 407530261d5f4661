"""Fill the demo's app with its year: links and clicks, events, costs and exchange rates, by the importers of `bough`.

Everything is told up to the day before the app was founded, so it is the same again when it is repeated: each step
finds what is there already. Demo data can be known by the app's name, the `demo` tag of its links, and the ids and
identities of its people, which begin with `demo-`.
"""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import sin
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from bough.accounts.directory import Directory
from bough.accounts.model import App
from bough.attribution.rates import Rate, RateBatch, store_rates
from bough.importers.costs import import_costs
from bough.importers.events import import_file
from bough.samples import year
from bough.samples.campaigns import CAMPAIGNS, WIN_BACK
from bough.samples.link_results import Brought
from bough.samples.visitors import MAC, VISITORS
from bough.store import Store
from bough.store.journal import NewRow, append_batch
from bough.store.transaction import Transaction
from bough.vocabulary.calendar_days import day_of
from bough.vocabulary.journal_rows import Click

CLICKS_AN_INSTALL: Final = 3
COST_COLUMNS: Final = (
    "date",
    "cost",
    "currency",
    "tilde_campaign",
    "tilde_channel",
    "tilde_feature",
    "tilde_advertising_partner_name",
)
RATES: Final = (("EUR", 1.09), ("GBP", 1.27))
"""Currency, and about how many dollars one unit is."""

ALIASES: Final = {campaign.name: campaign.alias for campaign in (*CAMPAIGNS, WIN_BACK)}
CLICKERS: Final = ((*VISITORS[:3], MAC), (45, 38, 12, 5))
"""Who clicks on campaigns, and how often of a hundred times."""

DONE: Final = "SELECT 1 FROM watermark WHERE name = ?"
NOTE: Final = "INSERT INTO watermark (name, journal) VALUES (?, 1)"
LINKS: Final = "SELECT id, alias, domain, path FROM link WHERE app = ? AND test = 0 AND alias IS NOT NULL"


class Filled(Struct, frozen=True):
    """What there is now."""

    events: int
    clicks: int
    costs: int


def fill(store: Store, folder: Path, app: App) -> Filled | None:
    """Bring in the year before the app was founded; None when it is there already."""
    mark = f"demo.year.{app.id}"
    if store.rows(DONE, (mark,)):
        return None
    last_day = datetime.fromtimestamp(app.created_at / 1000, UTC).date() - timedelta(days=1)
    with tempfile.TemporaryDirectory(prefix="bough-demo-") as scratch:
        events, costs = Path(scratch) / "demo-year.csv", Path(scratch) / "demo-costs.csv"
        rates = tuple(_rates(last_day))
        dollars = {(day_of(date.fromisoformat(one.day)), one.currency): Decimal(one.usd_rate) for one in rates}
        brought = Brought(dollars)
        installs = _write_events(events, last_day, brought)
        _write(costs, COST_COLUMNS, _costs(installs))
        store.transact(store_rates, RateBatch(rates))
        spent = import_costs(store, app.id, costs).stored
        told = import_file(store, folder, events, app.id)
    links = {alias: (number, domain, path) for number, alias, domain, path in store.rows(LINKS, (app.id,))}
    clicks = _clicks(links, app, installs)
    of_campaigns = {name: links[alias][0] for name, alias in ALIASES.items() if alias in links}
    store.transact(_append_all, _Told(mark, clicks, app.id, of_campaigns, brought))
    return Filled(events=told.rows, clicks=len(clicks), costs=spent.rows)


Installs = Counter[tuple[date, str]]
"""Installs, and people won back, by day and campaign."""


def _write_events(path: Path, last_day: date, brought: Brought) -> Installs:
    campaign = year.COLUMNS.index(f"{year.TOUCH}campaign")
    touched_at = year.COLUMNS.index("last_attributed_touch_timestamp")
    installs: Installs = Counter()

    def seen() -> Iterable[year.Row]:
        before = ""
        for row in year.events(last_day):
            if row[campaign] and row[touched_at] != before:
                installs[datetime.fromtimestamp(int(row[2]) / 1000, UTC).date(), row[campaign]] += 1
            before = row[touched_at]
            brought.add(row)
            yield row

    _write(path, year.COLUMNS, seen())
    return installs


def _write(path: Path, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def _costs(installs: Installs) -> Iterable[tuple[str, ...]]:
    """What each day's installs of a campaign cost."""
    random = Random(2)
    paid = {campaign.name: campaign for campaign in CAMPAIGNS if campaign.install_cost}
    for (day, name), count in installs.items():
        if name in paid:
            campaign = paid[name]
            amount = count * campaign.install_cost * random.uniform(0.75, 1.3)
            yield day.isoformat(), f"{amount:.2f}", "USD", name, campaign.channel, campaign.feature, campaign.partner


def _rates(last_day: date) -> Iterable[Rate]:
    for back in range(year.DAYS):
        day = last_day - timedelta(days=back)
        for currency, middle in RATES:
            yield Rate(day.isoformat(), currency, f"{middle * (1 + 0.03 * sin(day.toordinal() / 40)):.4f}")


def _clicks(links: dict[str, tuple[int, str, str]], app: App, installs: Installs) -> list[NewRow]:
    """Clicks on the campaigns' links: those that led to the installs, and as many times more that did not."""
    random = Random(3)
    places, shares = year.PLACES, [place.share for place in year.PLACES]
    rows: list[NewRow] = []
    for (day, name), count in sorted(installs.items()):
        if (alias := ALIASES[name]) not in links:
            continue
        number, domain, path = links[alias]
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
        for _ in range(count * CLICKS_AN_INSTALL):
            click = Click(
                url=f"https://{domain}/{path}",
                user_agent=random.choices(*CLICKERS)[0],
                ip=f"198.51.100.{random.randint(1, 254)}",
                country=random.choices(places, shares)[0].code,
                referrer=random.choice(_REFERRERS),
                rule="demo",
            )
            at = midnight + random.randint(6 * 3600, 86_399) * 1000
            rows.append(NewRow(at, app.id, 0, "click", number, msgspec.json.encode(click).decode()))
    rows.sort(key=lambda row: row.at)
    return rows


_REFERRERS: Final = (
    "",
    "",
    "https://www.google.com/",
    "https://www.instagram.com/",
    "https://l.facebook.com/",
    "https://www.tiktok.com/",
)


class _Told(NamedTuple):
    """The clicks, what the links of campaigns brought, and the note that the year is there."""

    mark: str
    clicks: list[NewRow]
    app: int
    links: dict[str, int]
    brought: Brought


def _append_all(tx: Transaction, items: list[_Told]) -> list[Exception | None]:
    """All of it, together."""
    for told in items:
        if told.clicks:
            append_batch(tx, told.clicks)
        told.brought.store(tx, told.app, told.links)
        tx.run(NOTE, (told.mark,))
    return [None for _ in items]


def fill_year(store: Store, folder: Path) -> Filled | None:
    """`fill` for the app that the folder's demo founded, as its card says; later apps are not touched."""
    card = msgspec.json.decode((folder / "demo.json").read_bytes())
    return fill(store, folder, Directory(store).apps[int(card["app_id"])])
