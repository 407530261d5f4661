"""The reading of the journal, told as stories."""

from __future__ import annotations

import json

from bough.attribution.replay.explain import explain
from bough.attribution.rules.touches import LinkTable
from bough.vocabulary.journal_rows import JournalRow
from tests.attribution.world import (
    APP,
    COUPON,
    DAY,
    MINUTE,
    SUMMER,
    T0,
    WINTER,
    android,
    click,
    event,
    iphone,
    link,
    opened,
    read,
    web,
)


def test_late_install_gets_the_credit_but_no_link_data() -> None:
    (install,) = read(click(1, 0, SUMMER), opened(2, 192, iphone(link_identifier="1")))
    assert install.name == "INSTALL"
    assert (install.touch_type, install.touch_id) == ("CLICK", 1)
    assert install.deep_link == {"+clicked_branch_link": False, "+is_first_session": True}
    assert (
        "The click was 3 h 12 min earlier; deep-link duration is 2 h; still inside the 7-day install window, "
        "so it gets the credit but no link data." in explain(install).summary
    )


def test_session_data_hold_the_link_as_created_and_the_session_keys() -> None:
    (install,) = read(click(1, 0, SUMMER, query="coupon=x&~channel=push"), opened(2, 1, iphone(link_identifier="1")))
    assert install.deep_link == {
        "product": "summer",
        "coupon": "x",
        "~channel": "push",
        "~campaign": "summer",
        "~id": str(SUMMER.id),
        "~creation_source": 0,
        "$one_time_use": False,
        "+clicked_branch_link": True,
        "+is_first_session": True,
        "+match_guaranteed": True,
        "+click_timestamp": 1_750_000_000,
        "~referring_link": "https://go.example.com/summer?coupon=x&~channel=push",
        "+url": "https://go.example.com/summer?coupon=x&~channel=push",
    }
    assert json.dumps(install.deep_link)


def test_a_key_of_the_customers_that_is_called_data_reaches_the_app() -> None:
    mine = link(9, "mine", data={"data": {"shelf": "A"}})
    (install,) = read(click(1, 0, mine), opened(2, 1, iphone(link_identifier="1")), links=LinkTable([mine]))
    assert install.deep_link is not None
    assert install.deep_link["data"] == {"shelf": "A"}


def test_purchase_weeks_later_without_a_session_is_credited_to_the_person() -> None:
    phone = iphone(identity="ann")
    rows = [
        click(1, 0, SUMMER),
        opened(2, 1, {**phone, "link_identifier": "1"}),
        event(3, 20 * DAY / MINUTE, "PURCHASE", {"developer_identity": "ann"}, revenue=10),
        event(4, 31 * DAY / MINUTE, "PURCHASE", {"developer_identity": "ann"}, revenue=10),
    ]
    install, first, second = read(*rows)
    assert install.person == first.person == second.person == 2
    assert (first.touch_id, first.days_from_touch) == (1, 20)
    assert (second.touch_id, second.attributed) == (None, False)
    assert first.first_event_for_user
    assert not second.first_event_for_user


def test_two_devices_of_one_user_install_once() -> None:
    first, second = read(
        opened(1, 0, iphone(identity="ann")),
        opened(2, 60, android(identity="ann")),
    )
    assert (first.name, second.name) == ("INSTALL", "REINSTALL")
    assert first.person == second.person == 1


def test_borrowed_phone_keeps_two_persons_apart() -> None:
    phone = iphone()
    rows = [
        opened(1, 0, phone),
        event(2, 5, "LOGIN", {"os": "iOS", "idfv": phone["ios_vendor_id"], "developer_identity": "ann"}),
        event(3, 10, "PURCHASE", {"os": "iOS", "idfv": phone["ios_vendor_id"], "developer_identity": "bob"}),
        event(4, 15, "SEARCH", {"os": "iOS", "idfv": phone["ios_vendor_id"]}),
    ]
    install, login, bobs, logged_out = read(*rows)
    assert install.person == login.person == logged_out.person == 1
    assert bobs.person == 3


def test_retry_storm_is_one_install() -> None:
    body = android(branch_sdk_request_unique_id="u-2026112123", link_identifier="1")
    click_row = click(1, 0, COUPON)
    results = read(click_row, opened(4, 3, body), opened(2, 1, body), opened(3, 2, {**body, "retryNumber": 2}))
    assert [(one.name, one.counted, one.duplicate_of) for one in results] == [
        ("INSTALL", True, None),
        ("", False, 2),
        ("", False, 2),
    ]
    assert results[0].deep_link is not None
    assert results[0].deep_link["product"] == "coupon"
    assert explain(results[1]).summary == "A retry of event 2: it is not counted again."


def test_same_transaction_twice_counts_once_but_its_refund_counts() -> None:
    user = {"developer_identity": "ann"}
    results = read(
        event(1, 0, "PURCHASE", user, transaction_id="t1", revenue=10),
        event(2, 1, "PURCHASE", user, transaction_id="t1", revenue=10),
        event(3, 2, "PURCHASE", user, transaction_id="t1", revenue=-10),
        event(4, 3, "PURCHASE", {"developer_identity": "bob"}, transaction_id="t1", revenue=10),
    )
    assert [one.counted for one in results] == [True, False, True, True]


def test_web_visitor_is_credited_through_the_browser_id() -> None:
    rows = [
        click(1, 0, SUMMER, browser="500000000000000001"),
        opened(2, 1, web(link_identifier="1"), kind="open"),
        opened(3, 1, web(event="pageview"), kind="pageview"),
    ]
    session, page = read(*rows)
    assert (session.name, session.touch_id) == ("WEB_SESSION_START", 1)
    assert (page.name, page.touch_id) == ("PAGEVIEW", 1)
    assert session.deep_link is not None
    assert session.deep_link["+match_guaranteed"] is True


def test_click_id_repeated_as_browser_id_is_nobodys_id() -> None:
    visits = [
        opened(number, number, {"sdk": "web2.89.2", "link_identifier": "1", "browser_fingerprint_id": "1",
                                "alternative_browser_fingerprint_id": f"90000000000000000{number}"}, kind="open")
        for number in (2, 3)
    ]  # fmt: skip
    first, second = read(click(1, 0, SUMMER), *visits)
    assert first.person != second.person


def test_reengagement_needs_the_whole_gap() -> None:
    phone = iphone(randomized_bundle_token="77")
    rows = [
        opened(1, 0, phone),
        opened(2, 10, phone, kind="open"),
        opened(3, 10 + 7 * DAY / MINUTE, phone, kind="open"),
        opened(4, 10 + 14 * DAY / MINUTE - 1, phone, kind="open"),
    ]
    assert [one.reengagement for one in read(*rows)] == [False, False, True, False]


def test_tracking_disabled_gives_link_data_and_no_person() -> None:
    (opening,) = read(
        click(1, 0, SUMMER), opened(2, 1, iphone(link_identifier="1", tracking_disabled=True, identity="ann"))
    )
    assert (opening.person, opening.counted, opening.attributed) == (0, False, False)
    assert opening.deep_link is not None
    assert opening.deep_link["product"] == "summer"


def test_carrier_address_does_not_glue_strangers() -> None:
    rows = [
        click(1, 0, SUMMER, browser="500000000000000001"),
        click(2, 1, WINTER, browser="500000000000000002"),
        opened(3, 5, iphone("22222222-AAAA-4AAA-8AAA-000000000001")),
        opened(4, 6, iphone("22222222-AAAA-4AAA-8AAA-000000000002")),
    ]
    one, other = read(*rows)
    assert one.person != other.person
    assert not one.attributed
    assert not other.attributed
    assert "2 clicks are equally likely, so none is guessed" in explain(one).summary


def test_matched_click_is_not_guessed_for_the_neighbour() -> None:
    rows = [
        click(1, 0, SUMMER),
        opened(2, 5, iphone("22222222-AAAA-4AAA-8AAA-000000000001")),
        opened(3, 6, iphone("22222222-AAAA-4AAA-8AAA-000000000002")),
    ]
    one, other = read(*rows)
    assert (one.touch_id, other.touch_id) == (1, None)
    assert other.match is not None
    assert [candidate.verdict for candidate in other.match.considered] == ["used_by_other"]


def test_late_rows_end_as_if_they_had_come_in_order() -> None:
    in_order = [click(1, 0, SUMMER), opened(2, 1, iphone(link_identifier="1"))]
    late = [opened(2, 1, iphone(link_identifier="1")), click(1, 0, SUMMER)]
    assert read(*in_order) == read(*late)


def test_an_imported_install_keeps_its_touch_and_credits_later_live_events() -> None:
    imported = JournalRow(
        id=1,
        at=T0,
        app=APP,
        test=False,
        kind="import",
        body={
            "id": "branch-1",
            "name": "INSTALL",
            "developer_identity": "ann",
            "last_attributed_touch_type": "CLICK",
            "last_attributed_touch_timestamp": T0 - DAY,
            "last_attributed_touch_data_tilde_channel": "mail",
            "last_attributed_touch_data_dollar_3p": "x",
        },
    )
    install, purchase, open_ = read(
        imported,
        event(2, 60, "PURCHASE", {"developer_identity": "ann"}),
        opened(3, 61, iphone(identity="ann", randomized_bundle_token="7"), kind="open"),
    )
    assert (install.name, install.touch_type, install.touch_at, install.days_from_touch) == (
        "INSTALL",
        "CLICK",
        T0 - DAY,
        1,
    )
    assert install.touch_data == {"~channel": "mail", "$3p": "x"}
    assert explain(install).summary.endswith("The import says CLICK; that is taken as given.")
    assert purchase.touch_data == install.touch_data
    assert (open_.name, open_.had_app, open_.attributed) == ("OPEN", True, False)


def test_an_import_that_comes_twice_counts_once() -> None:
    rows = [
        JournalRow(
            id=number, at=T0, app=APP, test=False, kind="import", body={"id": "b", "name": "OPEN", "browser_id": "9"}
        )
        for number in (1, 2)
    ]
    results = read(*rows)
    assert [one.duplicate_of for one in results] == [None, 1]
    assert explain(results[0]).summary.endswith("The import names no touch.")


def test_first_session_of_a_browser_and_of_a_reinstalled_app() -> None:
    rows = [
        opened(1, 0, web(), kind="open"),
        opened(2, 60, web(), kind="open"),
        opened(3, 61, iphone()),
        opened(4, 62, iphone(randomized_bundle_token="7"), kind="open"),
        opened(5, 63, iphone()),
    ]
    given = [one.deep_link for one in read(*rows) if one.deep_link is not None]
    assert [one["+is_first_session"] for one in given] == [True, False, True, False, True]


def test_a_touch_that_becomes_known_late_takes_its_place_in_time() -> None:
    rows = [
        click(1, 0, SUMMER),
        click(2, 5, WINTER),
        opened(3, 6, iphone(link_identifier="2")),
        opened(4, 7, iphone(link_identifier="1", randomized_bundle_token="7"), kind="open"),
    ]
    first, second = read(*rows)
    assert (first.touch_id, second.touch_id) == (2, 2)
    assert second.deep_link is not None
    assert second.deep_link["product"] == "summer"


def test_the_last_touch_of_long_ago_is_named_as_the_reason() -> None:
    rows = [
        click(1, 0, SUMMER),
        opened(2, 1, iphone(link_identifier="1", identity="ann")),
        event(3, 200 * DAY / MINUTE, "PURCHASE", {"developer_identity": "ann"}),
    ]
    told = explain(read(*rows)[1])
    assert told.nearest_miss == (
        "The click on https://go.example.com/summer 200 days earlier is outside the 30-day conversion window "
        "for clicks by 170 days."
    )


def test_a_busy_address_does_not_slow_down_or_change_matching() -> None:
    crowd = [click(number, number * 60, SUMMER, browser=str(10**17 + number)) for number in range(1, 700)]
    result = read(*crowd, opened(1000, 699 * 60 + 1, iphone()))[0]
    assert result.touch_id is None
    assert result.match is not None
    assert [one.verdict for one in result.match.considered].count("ambiguous") == 2
    assert len(result.match.considered) == 24


def test_an_event_that_names_nobody_counts_nowhere() -> None:
    (result,) = read(event(1, 0, "PURCHASE", {"os": "iOS", "idfa": "00000000-0000-0000-0000-000000000000"}))
    assert (result.person, result.uncounted) == (0, "nobody")
    assert "no usable identifier" in explain(result).summary


def test_the_page_that_led_to_the_click_is_passed_on() -> None:
    rows = [click(1, 0, SUMMER, referrer="https://news.example/"), opened(2, 1, iphone(link_identifier="1"))]
    (install,) = read(*rows)
    assert install.deep_link is not None
    assert install.deep_link["+referrer"] == "https://news.example/"
