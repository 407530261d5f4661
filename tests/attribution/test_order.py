"""The property behind "restartable": any arrival order and any split into restarts end in identical attribution."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bough.agents.recognition import parse
from bough.attribution.replay.read import always, attribute
from bough.attribution.stored.increments import Follower
from bough.vocabulary.journal_rows import JournalRow, RowKind
from bough.vocabulary.windows import Windows
from tests.attribution.world import (
    APP,
    BY_PATH,
    DAY,
    IPHONE_UA,
    LINKS,
    MINUTE,
    PIXEL_UA,
    T0,
    android,
    click,
    event,
    iphone,
    opened,
    web,
)

VENDORS = ("11111111-AAAA-4AAA-8AAA-000000000001", "11111111-AAAA-4AAA-8AAA-000000000002")
ANDROIDS = ("a1b2c3d4e5f60718", "a1b2c3d4e5f60719")
BROWSERS = ("500000000000000001", "500000000000000002")
ADDRESSES = ("203.0.113.7", "198.51.100.1")
AD_ID = "38400000-8cf0-11bd-b23e-10b96e40000d"

KINDS: tuple[RowKind, ...] = ("click", "click", "impression", "prefetch", "open", "open", "event", "import")
OPENINGS: tuple[RowKind, ...] = ("install", "install", "open")

minutes = st.one_of(
    st.integers(0, 20),
    st.integers(0, 4 * 24 * 60),
    st.sampled_from([7 * DAY // MINUTE, 8 * DAY // MINUTE, 31 * DAY // MINUTE]),
)
identities = st.sampled_from([{}, {}, {}, {"identity": "ann"}, {"identity": "bob"}])


def _evidence(draw: st.DrawFn, number: int) -> dict[str, Any]:
    named = str(draw(st.integers(1, 12)))
    path = draw(st.sampled_from(sorted(BY_PATH)))
    return draw(
        st.sampled_from(
            [
                {},
                {},
                {"link_identifier": named},
                {"link_identifier": BROWSERS[0]},
                {"install_referrer_extras": f"link_click_id%3D{named}"},
                {"universal_link_url": f"https://go.example.com/{path}"},
                {"local_url": f"https://go.example.com/{path}?link_click_id={named}"},
                {"android_app_link_url": "https://elsewhere.example.com/x"},
                {"idfa": AD_ID},
                {"aaid": AD_ID},
                {"tracking_disabled": True, "link_identifier": named},
                {"branch_sdk_request_unique_id": f"request-{number % 3}"},
                {"server_to_server": True},
            ]
        )
    )


@st.composite
def rows(draw: st.DrawFn) -> list[JournalRow]:
    """A journal of up to a dozen rows in which everything that can collide does."""
    found = []
    for number in range(1, draw(st.integers(2, 12)) + 1):
        at = draw(minutes)
        what: RowKind = draw(st.sampled_from(KINDS))
        address = draw(st.sampled_from(ADDRESSES))
        if what in ("click", "impression", "prefetch"):
            found.append(
                click(
                    number,
                    at,
                    BY_PATH[draw(st.sampled_from(sorted(BY_PATH)))],
                    kind=what,
                    ip=address,
                    query=draw(st.sampled_from(["", "", f"%24idfa={AD_ID}", f"%25aaid={AD_ID}"])),
                    browser=draw(st.sampled_from(["", *BROWSERS])),
                    user_agent=draw(st.sampled_from([IPHONE_UA, PIXEL_UA])),
                )
            )
        elif what == "open":
            kind: RowKind = draw(st.sampled_from(OPENINGS))
            phone = draw(st.sampled_from([*map(iphone, VENDORS), *map(android, ANDROIDS), *map(web, BROWSERS)]))
            body = {**phone, **draw(identities), **_evidence(draw, number)}
            found.append(opened(number, at, body, kind="open" if body["sdk"] == "web2.89.2" else kind, ip=address))
        elif what == "event":
            user = draw(
                st.sampled_from(
                    [
                        {"developer_identity": "ann"},
                        {"os": "iOS", "idfv": VENDORS[0]},
                        {"os": "Android", "android_id": ANDROIDS[1], "developer_identity": "bob"},
                        {"browser_fingerprint_id": BROWSERS[0]},
                    ]
                )
            )
            found.append(event(number, at, "PURCHASE", user, transaction_id=draw(st.sampled_from(["", "t1"]))))
        else:
            body = {"id": f"import-{number % 4}", "name": draw(st.sampled_from(["INSTALL", "OPEN", "PURCHASE"]))}
            body |= draw(
                st.sampled_from(
                    [
                        {"developer_identity": "ann", "user_data_aaid": AD_ID},
                        {"developer_identity": "bob", "user_data_browser_id": BROWSERS[1]},
                        {
                            "developer_identity": "ann",
                            "last_attributed_touch_type": "CLICK",
                            "last_attributed_touch_timestamp": T0,
                        },
                    ]
                )
            )
            found.append(JournalRow(id=number, at=T0 + at * MINUTE, app=APP, test=False, kind="import", body=body))
    return found


@settings(max_examples=300, deadline=None)
@given(st.data(), rows())
def test_any_order_of_arrival_and_any_restarts_end_in_the_same_attribution(
    data: st.DataObject, journal: list[JournalRow]
) -> None:
    windows = always(Windows())
    expected = attribute(journal, windows, LINKS, parse)

    in_order = sorted(journal, key=lambda row: (row.at, row.id))
    shuffled = data.draw(st.one_of(st.permutations(journal), st.just(in_order)))
    assert attribute(shuffled, windows, LINKS, parse) == expected

    follower = Follower(windows, LINKS, parse)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=8)))
    for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True):
        follower.add(shuffled[start:end])
    assert follower.results() == expected

    restarted = Follower(windows, LINKS, parse)
    restarted.add(shuffled[: cuts[0] if cuts else 1])
    restarted.add(shuffled)
    assert restarted.results() == expected


def test_a_follower_reports_what_a_late_row_changes_and_nothing_else() -> None:
    follower = Follower(always(Windows()), LINKS, parse)
    install = opened(3, 5, iphone(VENDORS[0], link_identifier="1"), ip="192.0.2.1")
    neighbour = opened(4, 5, iphone(VENDORS[1]), ip="192.0.2.2")
    assert [one.attributed for one in follower.add([install, neighbour])] == [False, False]
    (changed,) = follower.add([click(1, 0, BY_PATH["summer"])])
    assert (changed.id, changed.touch_id) == (3, 1)
    assert follower.add([click(1, 0, BY_PATH["summer"])]) == []


def test_strangers_on_one_one_time_link_are_read_together() -> None:
    url = {"universal_link_url": "https://go.example.com/coupon"}
    first = opened(1, 0, iphone(VENDORS[0], **url), ip="192.0.2.1")
    second = opened(2, 1, iphone(VENDORS[1], **url), ip="192.0.2.2")
    follower = Follower(always(Windows()), LINKS, parse)
    (alone,) = follower.add([second])
    assert alone.deep_link is not None
    assert alone.deep_link["+clicked_branch_link"] is True
    follower.add([first])
    assert [one.deep_link["+clicked_branch_link"] for one in follower.results() if one.deep_link] == [True, False]
