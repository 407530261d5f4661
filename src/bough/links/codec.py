"""A link as a row of the `link` table, and back."""

from __future__ import annotations

from sys import intern
from typing import Any

import msgspec

from bough.links.model import Link

COLUMNS = (
    "id",
    "app",
    "test",
    "domain",
    "path",
    "alias",
    "type",
    "channel",
    "feature",
    "campaign",
    "stage",
    "tags",
    "data",
    "duration",
    "identity",
    "identity_id",
    "source",
    "created_at",
    "updated_at",
    "expires_at",
    "qr_code_settings",
)
SELECTED = ", ".join(COLUMNS)

PLANTED = '"+'
"""In the JSON of every link whose data holds a key that begins with `+`, which only the server may say. Earlier
versions stored such keys when clients sent them; they are left out when a link is read, so that none reaches an app."""

_encode = msgspec.json.Encoder().encode
_decode_data = msgspec.json.Decoder(dict[str, Any]).decode
_decode_tags = msgspec.json.Decoder(tuple[str, ...]).decode


def to_row(link: Link) -> tuple[Any, ...]:
    """Values in the order of COLUMNS."""
    return (
        link.id,
        link.app,
        int(link.test),
        link.domain,
        link.path,
        link.alias,
        link.type,
        link.channel,
        link.feature,
        link.campaign,
        link.stage,
        _encode(link.tags).decode() if link.tags else None,
        _encode(link.data).decode() if link.data else "{}",
        link.duration,
        link.identity,
        link.identity_id,
        link.source,
        link.created_at,
        link.updated_at,
        link.expires_at,
        link.qr_code_settings,
    )


def from_row(row: tuple[Any, ...]) -> Link:
    """The link of a row selected with SELECTED; columns after those are not looked at.

    Many links are kept in memory: texts that many of them have are shared.
    """
    return Link(
        id=row[0],
        app=row[1],
        test=bool(row[2]),
        domain=intern(row[3]),
        path=row[4],
        alias=row[4] if row[5] == row[4] else row[5],
        type=row[6],
        channel=row[7] and intern(row[7]),
        feature=row[8] and intern(row[8]),
        campaign=row[9] and intern(row[9]),
        stage=row[10] and intern(row[10]),
        tags=_decode_tags(row[11]) if row[11] else (),
        data=_data(row[12]) if row[12] != "{}" else {},
        duration=row[13],
        identity=row[14],
        identity_id=row[15],
        source=row[16],
        created_at=row[17],
        updated_at=row[18],
        expires_at=row[19],
        qr_code_settings=row[20],
    )


def same_state(one: Link, other: Link) -> bool:
    """Whether two states of a link are the same to the last byte: 1 and true, which Python takes for one, are not."""
    return to_row(one) == to_row(other)


def to_json(link: Link) -> str:
    """The whole link, for its history in the `change` table."""
    return _encode(link).decode()


def from_json(text: str) -> Link:
    """Inverse of `to_json`."""
    link = msgspec.json.decode(text, type=Link)
    return msgspec.structs.replace(link, data=_own(link.data)) if PLANTED in text else link


def _data(text: str) -> dict[str, Any]:
    return _own(_decode_data(text)) if PLANTED in text else _decode_data(text)


def _own(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not key.startswith("+")}
