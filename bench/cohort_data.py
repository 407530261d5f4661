"""Generated events for `bench.cohorts`: staged rows as one Parquet file, and the plain side's tables."""

# ruff: noqa: S608, E501 - generated SQL of this benchmark alone.
from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import duckdb

from bough.attribution.attributed_event import STAGE_TYPES
from bough.vocabulary.dimensions import TOUCH_COLUMNS

NAMES: Final = ("OPEN",) * 12 + ("VIEW_ITEM",) * 4 + ("PURCHASE",) * 2 + ("SEARCH", "ADD_TO_CART", "LOGIN", "level_up")


def _skewed(seed: int, count: int) -> str:
    """A whole number below `count`, small ones far more often; the same for a person every time."""
    return f"CAST(floor(pow(hash(p * 128 + {seed}) / 18446744073709551616.0, 3) * {count}) AS INTEGER)"


def _uniform(seed: int, key: str) -> str:
    whole = {"p": "p", "p, i": "(p * 16 + i)"}[key]
    return f"(hash({whole} * 128 + {seed}) / 18446744073709551616.0)"


_SPECIAL: Final = {
    "tilde_campaign": "CASE WHEN ad // 25 = 3 THEN 'A4G' ELSE 'campaign ' || (ad // 25) END",
    "tilde_campaign_id": "'' || (7000 + ad // 25)",
    "tilde_advertising_partner_name": "'partner ' || (ad // 25 % 12)",
    "dollar_3p": "'a_partner' || (ad // 25 % 12)",
    "tilde_ad_set_name": "'set ' || (ad // 5)",
    "tilde_ad_set_id": "'' || (80000 + ad // 5)",
    "tilde_ad_name": "'ad ' || ad",
    "tilde_ad_id": "'' || (900000 + ad)",
    "tilde_feature": f"'F' || {_skewed(21, 6)}",
    "tilde_channel": f"'channel ' || {_skewed(22, 8)}",
    "plus_via_features": "'ADS'",
}
_USER: Final = {
    "os": f"CASE WHEN {_skewed(1, 3)} = 0 THEN 'ANDROID' ELSE 'IOS' END",
    "platform": f"CASE WHEN hash((p * 16 + i) * 128 + 14) % 7 = 0 THEN 'IOS_WEB' WHEN {_skewed(1, 3)} = 0 THEN 'ANDROID_APP' ELSE 'IOS_APP' END",
    "environment": "CASE WHEN hash((p * 16 + i) * 128 + 14) % 7 = 0 THEN 'FULL_WEB' ELSE 'FULL_APP' END",
    "geo_country_code": f"'C' || {_skewed(2, 60)}",
    "geo_country_en": f"'Country ' || {_skewed(2, 60)}",
    "geo_region_en": f"'Region ' || {_skewed(3, 300)}",
    "device_type": f"'type ' || {_skewed(4, 5)}",
    "brand": f"'brand ' || ({_skewed(5, 400)} // 10)",
    "model": f"'model ' || {_skewed(5, 400)}",
    "has_app": "CASE WHEN i = 0 THEN 'false' ELSE 'true' END",
}


def generate(target: Path, installs: int, start: date) -> None:
    """Write `installs` x 12 staged rows over 180 days."""
    first = int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp()) * 1000
    span = 180 * 86_400_000
    touch = {c: _SPECIAL.get(c, f"'{c} ' || {_skewed(40 + n, 20 + 13 * n)}") for n, (c, _) in enumerate(TOUCH_COLUMNS)}
    values = {
        "id": "p || '-' || i",
        "app": "'1'",
        "person": "p",
        "name": "name",
        "ms": "ms",
        "attributed": "hash(p * 128 + 7) % 4 <> 0",
        "touch_type": "'CLICK'",
        "touch_at": "ms - 60000",
        "customer_event_alias": "CASE WHEN hash((p * 16 + i) * 128 + 8) % 20 = 0 THEN 'vip' END",
        "micro": f"CASE WHEN name = 'PURCHASE' THEN CAST({_uniform(9, 'p, i')} * 100 AS BIGINT) * 1000000 + 990000 END",
        "missing_rate": "FALSE",
        **_USER,
        **touch,
    }
    listed = ", ".join(f"CAST({values[name]} AS {kind}) AS {name}" for name, kind in STAGE_TYPES.items())
    names = ", ".join(f"'{name}'" for name in NAMES)
    installed = f"{first} + CAST({_uniform(10, 'p')} * {span} AS BIGINT)"
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(
        f"COPY (SELECT {listed} FROM (SELECT p, i, ad, CASE WHEN i = 0 THEN 'INSTALL' ELSE"
        f" ([{names}])[1 + CAST(hash((p * 16 + i) * 128 + 11) % {len(NAMES)} AS INTEGER)] END AS name,"
        f" least({first + span - 1}, {installed}"
        f" + CASE WHEN i = 0 THEN 0 ELSE CAST(pow({_uniform(12, 'p, i')}, 3) * 90 * 86400000 AS BIGINT) END) AS ms"
        f" FROM (SELECT p, {_skewed(13, 5000)} AS ad FROM range({installs}) AS r(p)), range(12) AS e(i)))"
        f" TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    )
    connection.close()


def plain_tables(target: Path, source: Path) -> None:
    """`installs` and `events` as they are exported, with local days and credited touch texts ready made."""
    connection = duckdb.connect(str(target), config={"threads": 2})
    touch = ", ".join(f"CASE WHEN attributed THEN {c} END AS {c}" for c, _ in TOUCH_COLUMNS)
    user = ", ".join(_USER)
    connection.execute(
        f"CREATE TABLE installs AS SELECT person, ms, ms // 86400000 AS day, {touch}, {user}"
        f" FROM read_parquet('{source}') WHERE name = 'INSTALL'"
    )
    connection.execute(
        "CREATE TABLE events AS SELECT person, name, ms, ms // 86400000 AS day, micro, customer_event_alias,"
        f" {user}, {touch} FROM read_parquet('{source}')"
    )
    connection.execute("CHECKPOINT")
    connection.close()
