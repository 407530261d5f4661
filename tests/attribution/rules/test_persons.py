"""Who is who, under any order of arrival."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bough.attribution.rules.persons import NOBODY, Claim, Joined, Persons
from bough.events.identifiers import Identifier

ANN: Identifier = ("identity", "ann")
BOB: Identifier = ("identity", "bob")
PHONE: Identifier = ("idfv", "phone")
TABLET: Identifier = ("aaid", "tablet")
BROWSER: Identifier = ("browser", "500000000000000001")

claims = st.lists(
    st.builds(
        lambda identifiers, at, imported: (tuple(identifiers), at, imported),
        st.lists(
            st.sampled_from([ANN, BOB, PHONE, TABLET, BROWSER, ("idfv", "other")]), min_size=1, max_size=3, unique=True
        ),
        st.integers(0, 5),
        st.sampled_from([False, False, True]),
    ),
    max_size=9,
).map(lambda drawn: [Claim(row + 1, at, ids, imported) for row, (ids, at, imported) in enumerate(drawn)])


def _persons(journal: list[Claim]) -> dict[int, int]:
    persons = Persons()
    for claim in journal:
        persons.add(claim)
    return {claim.row: persons.person(claim) for claim in journal}


@settings(max_examples=300, deadline=None)
@given(st.data(), claims)
def test_persons_do_not_depend_on_the_order_of_arrival(data: st.DataObject, journal: list[Claim]) -> None:
    expected = _persons(journal)
    assert _persons(data.draw(st.permutations(journal))) == expected
    for row, person in expected.items():
        assert expected[person] == person
        assert person <= row


@settings(max_examples=300, deadline=None)
@given(claims)
def test_every_person_whose_rows_moved_is_reported(journal: list[Claim]) -> None:
    persons = Persons()
    for place, claim in enumerate(journal):
        before = {one.row: persons.person(one) for one in journal[:place]}
        joined = persons.add(claim)
        moved = {before[one.row] for one in journal[:place] if persons.person(one) != before[one.row]}
        assert moved <= set(joined.changed)


def test_login_on_two_devices_makes_one_person() -> None:
    persons = Persons()
    assert persons.add(Claim(1, 0, (PHONE,))) == Joined(1)
    assert persons.add(Claim(2, 0, (TABLET,))) == Joined(2)
    assert persons.add(Claim(3, 1, (PHONE, ANN))) == Joined(1)
    assert persons.add(Claim(4, 2, (TABLET, ANN))) == Joined(1, (1, 2))
    assert persons.person_of(TABLET) == 1


def test_second_user_of_a_device_stays_another_person() -> None:
    persons = Persons()
    persons.add(Claim(1, 0, (PHONE, ANN)))
    assert persons.add(Claim(2, 1, (PHONE, BOB))) == Joined(2)
    assert persons.add(Claim(3, 2, (PHONE,))) == Joined(1)


def test_a_late_row_with_an_earlier_login_gets_the_device() -> None:
    persons = Persons()
    persons.add(Claim(1, 5, (PHONE,)))
    persons.add(Claim(2, 6, (PHONE, ANN)))
    assert persons.person_of(PHONE) == 1
    assert persons.add(Claim(3, 4, (PHONE, BOB))) == Joined(1, (1,))
    assert persons.person_of(ANN) == 2
    assert persons.person_of(BOB) == 1


def test_imported_rows_join_through_the_identity_too() -> None:
    persons = Persons()
    persons.add(Claim(1, 0, (PHONE, ANN), imported=True))
    assert persons.add(Claim(2, 1, (PHONE, BOB), imported=True)) == Joined(1)


def test_nobody_is_nobody() -> None:
    persons = Persons()
    assert persons.add(Claim(1, 0, ())) == Joined(NOBODY)
    assert persons.person_of(ANN) == NOBODY
