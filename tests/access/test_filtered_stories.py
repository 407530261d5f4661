"""What data filters leave of persons, events and the rows behind a number, by API and page, for an agency's member."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest

from tests.access.people import Member
from tests.access.sessions import Visitor
from tests.access.test_hunt import body, filtered
from tests.apps import alias, other_organization, store_of
from tests.attribution.stored.test_history import Phone, find, get, timeline
from tests.conftest import Api
from tests.running import Running, wait_until

OURS, THEIRS, BOTH = (f"11111111-AAAA-4AAA-8AAA-0000000F000{number}" for number in (1, 2, 3))
SECRET_IDENTITY = "told.to.the.other.agency@example.org"


class Scene(NamedTuple):
    """An app of its own: one person came by the agency's link, one by another's, one by the one and then the other."""

    api: Api
    agent: Member
    page: Visitor
    campaigns: tuple[str, str]
    links: dict[str, str]
    persons: dict[str, str]
    events: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def scene(server: Running) -> Iterator[Scene]:
    client = Api(server)
    api = other_organization(client)
    agent = filtered(api)
    ours, theirs = alias(), alias()
    links = {
        "acme": api.created(campaign=ours, data={"~agency_id": "acme"}),
        "other": api.created(campaign=theirs, data={"~agency_id": "other"}),
    }
    for number, (vendor, link) in enumerate(((OURS, "acme"), (THEIRS, "other"), (BOTH, "acme"))):
        phone = Phone(api, vendor, f"203.0.113.{110 + number}")
        phone.click(links[link])
        phone.open()
        phone.buy(event_data={"revenue": 10 + number, "currency": "USD"})
        if vendor == BOTH:
            phone.open("open", universal_link_url=links["other"], identity=SECRET_IDENTITY)
            phone.buy(event_data={"revenue": "86.75", "currency": "USD"})
    wait_until(lambda: all(find(api, device=one) for one in (OURS, THEIRS, BOTH)))
    persons = {one: find(api, device=one)[0]["person_id"] for one in (OURS, THEIRS, BOTH)}
    events = {one: timeline(api, persons[one], 3 if one != BOTH else 6) for one in persons}
    whole = partial(rows, api, api.card["access_token"])
    wait_until(lambda: whole().get("members_total") == len(persons), 60, context=lambda: str(whole()))
    store = store_of(server)
    yield Scene(api, agent, Visitor(api, store, agent.id), (ours, theirs), links, persons, events)
    store.close()
    client.http.close()


def rows(api: Api, token: str, measure: str = "PURCHASE", **query: str) -> dict[str, Any]:
    """The rows behind a cell of a request over everything."""
    asked = {"request": json.dumps(body(measures=[measure])), "app_id": api.card["app_id"]}
    params = {"measure": measure, "band": "0", **(query or asked)}
    answer = api.http.get("/api/cohorts/rows", params=params, headers={"Access-Token": token})
    document: dict[str, Any] = answer.json()
    return document


def job_of(api: Api, token: str) -> str:
    """A finished job over everything that the token sees."""
    answer = api.http.post(
        "/v2/analytics",
        params={"app_id": api.card["app_id"], "format": "json"},
        json=body(measures=["PURCHASE"], fresh=True),
        headers={"Access-Token": token, "Prefer": "wait=60"},
    )
    assert answer.headers["preference-applied"] == "wait", answer.text
    return str(answer.headers["bough-job-id"])


def installed(scene: Scene, vendor: str) -> dict[str, Any]:
    """The person's install."""
    return next(entry for entry in scene.events[vendor] if entry.get("name") == "INSTALL")


def touch_of(scene: Scene, vendor: str, campaign: str) -> str:
    """The person's click on a campaign's link."""
    found = (one for one in scene.events[vendor] if one["kind"] == "touch" and one["data"]["~campaign"] == campaign)
    return str(next(found)["touch_id"])


def test_the_scene_is_what_the_administrator_sees(scene: Scene) -> None:
    """Or what follows would prove nothing."""
    ours, theirs = scene.campaigns
    credited = [one.get("data", {}).get("~campaign") for one in scene.events[BOTH] if one["kind"] == "touch"]
    assert credited == [ours, theirs]
    told = get(scene.api, f"/api/persons/{scene.persons[BOTH]}").text
    assert SECRET_IDENTITY in told
    assert theirs in told


def test_persons_are_found_only_with_an_event_that_passes(scene: Scene) -> None:
    for vendor, count in ((OURS, 1), (THEIRS, 0), (BOTH, 1)):
        found = scene.agent.http("GET", "/api/persons", params={"device": vendor}).json()["persons"]
        assert len(found) == count
        page = scene.page.ask("GET", "/dashboard/installs", params={"q": vendor})
        assert page.status_code == (303 if count else 200)
        assert (scene.persons[vendor] in page.headers.get("location", "") + page.text) is bool(count)
        for answer in (
            scene.agent.http("GET", f"/api/persons/{scene.persons[vendor]}"),
            scene.page.ask("GET", f"/dashboard/installs/person/{scene.persons[vendor]}"),
        ):
            assert answer.status_code == (200 if count else 404)


@pytest.mark.parametrize("form", ["html", "json", "csv"])
def test_of_a_person_of_two_agencies_only_ones_own_part_is_told(scene: Scene, form: str) -> None:
    ours, theirs = scene.campaigns
    address = f"/dashboard/installs/person/{scene.persons[BOTH]}"
    texts = [scene.page.ask("GET", address, params={} if form == "html" else {"format": form}).text]
    texts.append(scene.agent.http("GET", f"/api/persons/{scene.persons[BOTH]}").text)
    for text in texts:
        assert touch_of(scene, BOTH, ours) in text or form == "csv" or form == "html"
        for hidden in (theirs, SECRET_IDENTITY, touch_of(scene, BOTH, theirs), scene.links["other"], "86.75"):
            assert hidden not in text.replace(scene.persons[BOTH], ""), hidden


def test_events_of_others_are_not_explained(scene: Scene) -> None:
    for vendor, status in ((OURS, 200), (THEIRS, 404)):
        event = installed(scene, vendor)["event_id"]
        assert scene.agent.http("GET", f"/api/attribution/{event}").status_code == status
        assert scene.page.ask("GET", f"/dashboard/installs/event/{event}").status_code == status
    theirs = scene.campaigns[1]
    later = next(one for one in scene.events[BOTH] if one.get("name") == "OPEN")["event_id"]
    assert get(scene.api, f"/api/attribution/{later}").status_code == 200
    assert scene.agent.http("GET", f"/api/attribution/{later}").status_code == 404
    assert theirs not in scene.page.ask("GET", f"/dashboard/installs/event/{later}").text


def test_clicks_on_others_links_and_whom_they_brought_are_not_shown(scene: Scene) -> None:
    ours, theirs = scene.campaigns
    own, other = touch_of(scene, BOTH, ours), touch_of(scene, THEIRS, theirs)
    shown = scene.page.ask("GET", f"/dashboard/installs/click/{own}")
    assert (shown.status_code, scene.persons[BOTH] in shown.text) == (200, True)
    assert scene.page.ask("GET", f"/dashboard/installs/click/{other}").status_code == 404
    assert scene.page.ask("GET", "/dashboard/installs", params={"q": other}).status_code == 200
    for page in ("/dashboard/links", "/dashboard/installs", "/dashboard/exports", "/dashboard"):
        assert theirs not in scene.page.ask("GET", page).text
    for page in ("", "/edit", "/qr", "/qr-picture"):
        assert (
            scene.page.ask("GET", f"/dashboard/links/{scene.api.link_id(scene.links['other'])}{page}").status_code
            == 404
        )


def test_behind_a_number_are_only_the_members_that_pass(scene: Scene) -> None:
    admitted = {scene.persons[OURS], scene.persons[BOTH]}
    whole = rows(scene.api, scene.api.card["access_token"])
    assert {one["person"] for one in whole["members"]} == set(scene.persons.values())
    mine = job_of(scene.api, scene.agent.token)
    for document in (rows(scene.api, scene.agent.token), rows(scene.api, scene.agent.token, job_id=mine)):
        assert {one["person"] for one in document["members"]} == admitted
        assert document["members_total"] == 2
        assert {one["person"] for one in document["events"]} == admitted
    page = scene.page.ask("GET", "/dashboard/cohorts/cell", params={"job_id": mine, "measure": "PURCHASE", "band": "0"})
    assert page.status_code == 200
    assert all(one in page.text for one in admitted)
    assert scene.persons[THEIRS] not in page.text


def test_a_job_over_everything_opens_nothing_for_them(scene: Scene) -> None:
    whole = job_of(scene.api, scene.api.card["access_token"])
    assert rows(scene.api, scene.agent.token, job_id=whole)["error"]["code"] == 404
    query = {"job_id": whole, "measure": "PURCHASE", "band": "0"}
    assert scene.page.ask("GET", "/dashboard/cohorts/cell", params=query).status_code == 404
    for page in (f"/dashboard/cohorts/job/{whole}", f"/dashboard/exports/{whole}", f"/dashboard/exports/{whole}/file"):
        assert scene.page.ask("GET", page).status_code == 404
    assert whole not in scene.page.ask("GET", "/dashboard/exports").text
