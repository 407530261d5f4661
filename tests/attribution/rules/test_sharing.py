"""What many share joins nobody: the rule, live and again, against the pure reading; and what following it costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.attribution_crowds import fill
from bench.crowds import SHAPES, install, one_login, purchase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bough.accounts.creation import NewApp, create_app
from bough.agents.recognition import parse
from bough.attribution.replay.entries import JournalEntry
from bough.attribution.replay.explain import explain
from bough.attribution.replay.read import Attributed, always, attribute
from bough.attribution.rules import sharing
from bough.attribution.rules.persons import Claim
from bough.attribution.rules.sharing import Company, usable
from bough.attribution.rules.touches import LinkTable
from bough.attribution.stored import tables
from bough.attribution.stored.consumer import StoredFollower, start_rebuild
from bough.attribution.stored.group_loading import Loader
from bough.attribution.stored.group_splitting import connected
from bough.attribution.stored.history import Stories
from bough.attribution.stored.increments import Follower
from bough.attribution.stored.result_row import Stored
from bough.events.identifiers import Identifier
from bough.health.examination import examine
from bough.persons.planning import find_persons
from bough.settings import Settings
from bough.store import Store, open_store
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.windows import Windows
from tests.attribution.stored.test_consumer import CLICK, JOURNAL, follow, results, world
from tests.attribution.test_order import rows
from tests.attribution.traffic import AD_ID, acts, play
from tests.attribution.world import LINKS

GUEST: Identifier = ("identity", "guest")
NO_LINKS = LinkTable([])


def phones(count: int) -> list[Claim]:
    return [Claim(row, row, (("android_id", f"phone {row}"), GUEST)) for row in range(1, count + 1)]


def crossed(claims: list[Claim]) -> list[Identifier]:
    company = Company()
    return [one for claim in claims for one in company.add(claim)]


def test_a_login_is_shared_from_the_thousand_and_first_device_on() -> None:
    assert crossed(phones(1000)) == []
    assert crossed(phones(1001)) == [GUEST]


def test_the_same_device_again_does_not_make_a_login_shared() -> None:
    again = [Claim(row, row, (GUEST, ("android_id", f"phone {row % 7}"))) for row in range(1, 3000)]
    assert crossed(again) == []


def test_a_device_is_shared_from_the_thousand_and_first_user_on() -> None:
    tablet: Identifier = ("idfv", "tablet")
    users = [Claim(row, row, (tablet, ("identity", f"user {row}"))) for row in range(1, 1002)]
    assert crossed(users) == [tablet]


def test_a_test_phone_may_be_installed_ten_thousand_times() -> None:
    def installs(count: int) -> list[Claim]:
        return [Claim(row, row, (("android_id", "lab"), ("device", f"install {row}"))) for row in range(1, count + 1)]

    assert crossed(installs(10_000)) == []
    assert crossed(installs(10_001)) == [("android_id", "lab")]


def test_a_users_tokens_of_ten_thousand_installs_do_not_make_a_login_shared() -> None:
    claims = [Claim(row, row, (GUEST, ("bundle", f"token {row}"))) for row in range(1, 10_002)]
    assert crossed(claims[:-1]) == []
    assert crossed(claims) == [GUEST]


def test_the_id_of_a_request_is_shared_when_it_is_on_more_than_a_thousand_rows() -> None:
    claims = [Claim(row, row, (("request", "1"), ("idfv", "phone"))) for row in range(1, 1002)]
    assert crossed(claims[:-1]) == []
    assert crossed(claims) == [("request", "1")]


def test_a_row_with_shared_identifiers_only_keeps_the_first_one() -> None:
    claim = Claim(1, 1, (("aaid", "x"), GUEST))
    assert usable(claim, set()).identifiers == claim.identifiers
    assert usable(claim, {GUEST}).identifiers == (("aaid", "x"),)
    assert usable(claim, {GUEST, ("aaid", "x")}).identifiers == (("aaid", "x"),)


def test_rows_that_no_key_connects_any_more_are_groups_of_their_own() -> None:
    assert connected({5: [1, 2], 7: [2, 3], 8: [4], 9: [], 3: [4]}) == (
        {5: 5, 7: 5, 8: 3, 9: 9, 3: 3},
        {1: 5, 2: 5, 3: 5, 4: 3},
    )


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ids of a kind are enough to be shared."""
    monkeypatch.setattr(sharing, "LIMIT", 1)
    monkeypatch.setattr(sharing, "TENFOLD", 2)


def journal_of(*made: tuple[str, dict[str, Any]]) -> list[JournalRow]:
    return [
        JournalRow(id=number, at=number * 1000, app=1, test=False, kind=kind, body=body)  # type: ignore[arg-type]
        for number, (kind, body) in enumerate(made, 1)
    ]


def read(journal: list[JournalRow]) -> list[Attributed]:
    return attribute(journal, always(Windows()), NO_LINKS, parse)


@pytest.mark.usefixtures("few")
def test_who_logs_in_as_a_guest_is_the_person_of_the_phone() -> None:
    alone = read(journal_of(install(1), purchase(1, "guest"), purchase(None, "guest")))
    assert [one.person for one in alone] == [1, 1, 1]
    both = read(journal_of(install(1), purchase(1, "guest"), purchase(None, "guest"), install(2), purchase(2, "guest")))
    assert [(one.name, one.person) for one in both] == [
        ("INSTALL", 1),
        ("PURCHASE", 1),
        ("PURCHASE", 3),
        ("INSTALL", 4),
        ("PURCHASE", 4),
    ]


def test_who_logs_in_on_a_shared_tablet_stays_the_same_person_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LIMIT", 2)
    made = [purchase(9, ""), purchase(9, "ann"), purchase(1, "ann"), purchase(9, "bob"), purchase(9, "")]
    assert [one.person for one in read(journal_of(*made))] == [1, 1, 1, 4, 1]
    made.append(purchase(9, "carl"))
    assert [one.person for one in read(journal_of(*made))] == [1, 2, 2, 4, 1, 6]


@pytest.mark.usefixtures("few")
def test_a_request_id_that_is_always_the_same_makes_no_retries() -> None:
    same = {"branch_sdk_request_unique_id": "1"}
    made = [(kind, {**body, **same}) for kind, body in (purchase(1, ""), purchase(2, ""))]
    assert [(one.person, one.uncounted) for one in read(journal_of(*made))] == [(1, ""), (2, "")]


@pytest.mark.usefixtures("few")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), rows())
def test_any_order_of_arrival_ends_in_the_same_where_much_is_shared(
    data: st.DataObject, journal: list[JournalRow]
) -> None:
    windows = always(Windows())
    expected = attribute(journal, windows, LINKS, parse)
    shuffled = data.draw(st.permutations(journal))
    assert attribute(shuffled, windows, LINKS, parse) == expected
    follower = Follower(windows, LINKS, parse)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=8)))
    for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True):
        follower.add(shuffled[start:end])
    assert follower.results() == expected


def assert_is_the_pure_reading(store: Store, links: Any = NO_LINKS) -> None:
    """What is stored, against the slow reference over the whole journal."""
    journal = [tables.exact_row(values) for values in store.rows(JOURNAL)]
    expected = {one.id: one for one in attribute(journal, always(Windows()), links, parse)}
    found = results(store)[0]
    assert [row[0] for row in found] == sorted(expected)
    for identifier, app, test, person, at, name, counted, touch, body in found:
        facts = tables.facts_kept(tables.kept_of(body))
        one = Stored(identifier, app, bool(test), person, at, name, bool(counted), touch, body)
        assert one == tables.stored_of(expected[identifier], facts)


@pytest.mark.usefixtures("few")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.lists(acts(), min_size=4, max_size=30))
def test_any_steps_and_rebuilds_end_in_the_pure_reading_where_much_is_shared(
    data: st.DataObject, script: list[dict[str, Any]]
) -> None:
    from bough.attribution.stored.links import StoredLinks

    with world() as scene:
        follower = StoredFollower(scene.store)
        for act in script:
            play(scene, act)
            for _ in range(data.draw(st.integers(0, 2))):
                follower.step(data.draw(st.integers(1, 3)))
            if data.draw(st.integers(0, 19)) == 19:
                follower = StoredFollower(scene.store)
        follow(scene.store, follower, 3)
        live = results(scene.store)
        assert_is_the_pure_reading(scene.store, StoredLinks(scene.store.rows, scene.directory))
        scene.store.transact(start_rebuild, None)
        follow(scene.store)
        assert results(scene.store) == live


logins = st.tuples(st.integers(1, 6), st.sampled_from(["", "ann", "bob", "carl", "guest"]), st.integers(1, 3))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.lists(logins, min_size=3, max_size=25), st.sampled_from([2, 3, 1000]))
def test_any_logins_on_any_phones_end_in_the_pure_reading(
    data: st.DataObject, script: list[tuple[int, str, int]], most: int
) -> None:
    """Persons that merge are read alone; groups are joined, fall apart, and are forgotten in between."""
    with pytest.MonkeyPatch.context() as patch, world() as scene:
        patch.setattr(sharing, "LIMIT", most)
        follower = StoredFollower(scene.store)
        for phone, user, size in script:
            made = [install(phone)] if not user and size > 1 else [purchase(phone, user)]
            fill(scene.store, scene.app, iter(made + [purchase(None, user)] * (size == 3)))
            for _ in range(data.draw(st.integers(0, 1))):
                follower.step(data.draw(st.integers(1, 4)))
            if data.draw(st.integers(0, 29)) == 29:
                follower = StoredFollower(scene.store)
        follow(scene.store, follower)
        assert_is_the_pure_reading(scene.store)


def app_of(store: Store) -> int:
    return int(create_app(store, NewApp(name="Shop", base_url="http://127.0.0.1:8000")).app_id)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_crowd_is_the_same_live_and_again(store: Store, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LIMIT", 10)
    fill(store, app_of(store), SHAPES[shape](30))
    follow(store, at_most=7)
    live = results(store)
    shared = store.rows("SELECT kind, value FROM shared_identifier ORDER BY kind, value")
    assert_is_the_pure_reading(store)
    store.transact(start_rebuild, None)
    follow(store)
    assert results(store) == live
    assert store.rows("SELECT kind, value FROM shared_identifier ORDER BY kind, value") == shared


class Work:
    """Counts what following does."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.parsed = self.statements = self.fetched = 0
        entry, asked = Loader.entry, store.rows

        def counting(loader: Loader, row: JournalRow) -> JournalEntry:
            self.parsed += 1
            return entry(loader, row)

        def asking(*arguments: Any) -> Any:
            found = asked(*arguments)
            self.statements += 1
            self.fetched += len(found)
            return found

        monkeypatch.setattr(Loader, "entry", counting)
        monkeypatch.setattr(store, "rows", asking)


@pytest.fixture
def work(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    monkeypatch.setattr(sharing, "LIMIT", 20)
    with monkeypatch.context() as patch:
        yield Work(store, patch)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_crowd_costs_grows_as_its_rows_do(store: Store, work: Work, shape: str) -> None:
    """In steps so small that each one brings a few devices: the worst case."""
    spent = []
    for size in (50, 200):
        work.parsed = work.statements = work.fetched = 0
        fill(store, app_of(store), SHAPES[shape](size))
        follow(store, StoredFollower(store), 10)
        spent.append((work.parsed, work.statements, work.fetched))
    assert all(large <= 4.4 * small for small, large in zip(*spent, strict=True)), spent


def test_an_erasure_leaves_a_shared_login_and_everybody_else_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "LIMIT", 2)
    with world() as scene:
        fill(scene.store, scene.app, one_login(3))
        follow(scene.store)
        phone = f"{1:016x}"
        (found,) = find_persons(scene.store, tmp_path, scene.directory, [(scene.app, False)], "device", phone)
        assert GUEST not in found.plan.identifiers
        assert ("android_id", phone) in found.plan.identifiers
        rows = [number for (number,) in scene.store.rows("SELECT id FROM journal ORDER BY id")]
        assert sorted(found.plan.rows) == rows[:2]


def test_the_explanation_says_that_an_identifier_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LIMIT", 2)
    with world() as scene:
        fill(scene.store, scene.app, one_login(3))
        follow(scene.store)
        stories = Stories(scene.store, scene.directory)
        newest = scene.store.rows(tables.NEWEST_ROW)[0][0]
        told = stories.tell(stories.head(newest))
        claim = told.entries[newest].claim
        assert claim is not None
        sentence = explain(told.results[newest], claim.identifiers, told.shared).person
        assert sentence == (
            f"Person {told.head.person}, known by Android id."
            " The user id of this event came with so many others that it joins nobody."
        )
        assert len(told.rows) == 2  # the group of three phones has fallen apart


def test_a_click_that_carries_a_shared_id_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LIMIT", 2)
    with world() as scene:
        play(scene, CLICK | {"path": "ad"})
        for number in (1, 2):
            fill(scene.store, scene.app, iter([purchase(number, "", idfa=AD_ID)]))
            follow(scene.store)
            assert [row[1] for row in results(scene.store)[1]] == scene.clicks
        fill(scene.store, scene.app, iter([purchase(3, "", idfa=AD_ID)]))
        follow(scene.store)
        assert results(scene.store)[1] == []
        play(scene, CLICK | {"path": "ad"})
        follow(scene.store)
        assert results(scene.store)[1] == []


def test_doctor_names_what_many_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LIMIT", 2)
    store = open_store(tmp_path)
    fill(store, app_of(store), one_login(3))
    follow(store)
    store.close()
    (finding,) = [one for one in examine(Settings(data=str(tmp_path))) if "passes over" in one]
    assert finding == (
        "App Shop: the user id 'guest' came with so many others that attribution passes over it:"
        " send no id for guests, and the device's own ids for devices."
    )
