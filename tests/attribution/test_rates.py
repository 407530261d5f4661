"""Exchange rates: both file forms, what stands, conversion at the event's local date, rates that come late."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from bough.accounts.creation import NewApp, create_app, save_app
from bough.accounts.directory import Directory
from bough.accounts.model import AppConfig
from bough.attribution.rates import Rate, RateBatch, read_lines, store_rates
from bough.attribution.rules.money import Amount, convert, micro_usd
from bough.attribution.stored.consumer import StoredFollower, start_rebuild
from bough.attribution.stored.tables import data_as_of, kept_of
from bough.cli import main
from bough.errors import BadRequest
from bough.events.body import encode
from bough.store import Store, open_store
from bough.store.journal import NewRow, append_batch
from bough.store.transaction import Transaction
from bough.vocabulary.ids import now_ms
from tests.running import wait_until

MIDNIGHT = 1_714_521_600_000
"""2024-05-01T00:00:00Z."""
BODIES = "SELECT body FROM attributed ORDER BY id"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def app_in(store: Store, timezone: str) -> int:
    return int(create_app(store, NewApp(name="Shop", timezone=timezone, base_url="http://127.0.0.1:8000")).app_id)


def purchase(store: Store, app: int, at: int, revenue: str, currency: str, name: str = "PURCHASE") -> None:
    body = {
        "name": name,
        "user_data": {"developer_identity": "ann"},
        "event_data": {"revenue": Decimal(revenue), "currency": currency},
    }
    store.transact(append_batch, NewRow(at, app, 0, "event", None, encode(body).decode()))


def dollars(store: Store) -> list[tuple[int | None, str]]:
    """(micro-USD, day without a rate) of all events, after following the journal to its end."""
    follower = StoredFollower(store)
    while follower.step():
        pass
    kept = [kept_of(body) for (body,) in store.rows(BODIES)]
    return [(one.micro, one.missing_day) for one in kept]


def test_our_own_columns_and_the_ecbs_history_are_read() -> None:
    own = ["date,currency,usd_rate\n", "2024-05-01,eur,1.0710\n", "\n", "2024-05-02,JPY,0.00641\n"]
    own += ["2024-05-02,USD,1.0\n"]
    assert list(read_lines("own.csv", iter(own))) == [
        Rate("2024-05-01", "EUR", "1.071"),
        Rate("2024-05-02", "JPY", "0.00641"),
        Rate("2024-05-02", "USD", "1"),
    ]
    ecb = ["Date,USD,JPY,GBP,LVL,\n", "2024-05-02,1.0698,166.49,0.85583,N/A,\n", "2024-05-01,N/A,1,1,1,\n"]
    rates = list(read_lines("ecb.csv", iter(ecb)))
    assert [(rate.day, rate.currency) for rate in rates] == [("2024-05-02", one) for one in ("EUR", "JPY", "GBP")]
    assert rates[0].usd_rate == "1.0698"
    assert Decimal(rates[1].usd_rate) * Decimal("166.49") == pytest.approx(Decimal("1.0698"), rel=Decimal("1e-25"))


def test_the_ecbs_file_of_one_day_is_read() -> None:
    ecb = ["Date, USD, JPY, CZK, \n", "14 May 2024, 1.0803, 169.05, 24.727, \n"]
    rates = list(read_lines("ecb.csv", iter(ecb)))
    assert [(rate.day, rate.currency) for rate in rates] == [("2024-05-14", one) for one in ("EUR", "JPY", "CZK")]
    assert rates[0].usd_rate == "1.0803"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2024-5-1,EUR,1", "line 2: date: '2024-5-1' must look like 2026-01-31."),
        ("2024-05-01,BTC,1", "line 2: currency: 'BTC' is not an ISO 4217 code."),
        ("2024-05-01,USD,1.01", "line 2: usd_rate: a dollar is a dollar; USD needs no rate but 1."),
        ("2024-05-01,EUR,0", "line 2: usd_rate: '0' must be a plain number above 0."),
        ("2024-05-01,EUR,one", "line 2: usd_rate: 'one' must be a number, with a point before its decimals."),
    ],
)
def test_a_bad_line_is_named(line: str, sentence: str) -> None:
    with pytest.raises(BadRequest) as caught:
        list(read_lines("rates.csv", iter(["date,currency,usd_rate\n", line])))
    assert caught.value.message == sentence


def test_a_rate_stands_until_it_is_replaced(store: Store) -> None:
    first = store.transact(store_rates, RateBatch((Rate("2024-05-01", "EUR", "1.07"),)))
    again = store.transact(
        store_rates, RateBatch((Rate("2024-05-01", "EUR", "1.07"), Rate("2024-05-01", "EUR", "1.08")))
    )
    assert (first.added, again.unchanged, len(again.refused)) == (1, 1, 1)
    replaced = store.transact(store_rates, RateBatch((Rate("2024-05-01", "EUR", "1.08"),), replace=True))
    assert replaced.replaced == 1
    assert store.rows("SELECT usd_rate FROM rate") == [("1.08",)]


def test_conversion_is_exact_and_half_even() -> None:
    assert micro_usd(Decimal("0.0000005"), Decimal(1)) == 0
    assert micro_usd(Decimal("0.0000015"), Decimal(1)) == 2
    assert micro_usd(Decimal("-0.0000015"), Decimal(1)) == -2
    assert micro_usd(Decimal("19.99"), Decimal("1.0710")) == 21_409_290
    rates = {("2024-05-01", "EUR"): Decimal(2)}
    amount = Amount(value=Decimal(1), currency="EUR")
    late = convert(amount, MIDNIGHT - 1, "Europe/Berlin", lambda day, currency: rates.get((day, currency)))
    assert (late.micro, late.day) == (2_000_000, "2024-05-01")
    early = convert(amount, MIDNIGHT - 1, "UTC", lambda day, currency: rates.get((day, currency)))
    assert (early.micro, early.day, early.missing) == (None, "2024-04-30", True)


def test_a_missing_rate_leaves_the_amount_out_until_it_comes(store: Store) -> None:
    app = app_in(store, "UTC")
    purchase(store, app, MIDNIGHT, "10.00", "EUR")
    purchase(store, app, MIDNIGHT, "7", "USD")
    purchase(store, app, MIDNIGHT, "7", "USD", name="LOGIN")
    assert dollars(store) == [(None, "2024-05-01"), (7_000_000, ""), (None, "")]
    store.transact(store_rates, RateBatch((Rate("2024-05-01", "EUR", "1.07"),)))
    assert dollars(store) == [(10_700_000, ""), (7_000_000, ""), (None, "")]
    store.transact(start_rebuild, None)
    assert dollars(store) == [(10_700_000, ""), (7_000_000, ""), (None, "")]


def test_nothing_is_fresh_before_amounts_have_their_new_rates(store: Store) -> None:
    purchase(store, app_in(store, "UTC"), MIDNIGHT, "10.00", "EUR")
    assert dollars(store) == [(None, "2024-05-01")]
    store.transact(store_rates, RateBatch((Rate("2024-05-01", "EUR", "1.07"),)))
    asked = now_ms()
    assert data_as_of(store) < asked
    assert dollars(store) == [(10_700_000, "")]
    assert data_as_of(store) >= asked


def test_settings_apply_to_what_happens_after_them(store: Store) -> None:
    app = app_in(store, "UTC")
    purchase(store, app, 0, "1", "USD")
    purchase(store, app, 0, "1", "USD", name="LOGIN")
    config = AppConfig(revenue_events=("LOGIN",), attribution_windows={"click_install": 3})

    def save(tx: Transaction, configs: list[AppConfig]) -> list[Exception | None]:
        for one in configs:
            save_app(tx, app, "Shop", "UTC", one)
        return [None] * len(configs)

    store.transact(save, config)
    changed = store.rows("SELECT max(at) FROM app_setting")[0][0]  # at most a millisecond ahead of the clock
    wait_until(lambda: now_ms() > changed)
    purchase(store, app, 0, "1", "USD")
    purchase(store, app, 0, "1", "USD", name="LOGIN")
    expected = [(1_000_000, ""), (None, ""), (None, ""), (1_000_000, "")]
    assert dollars(store) == expected
    store.transact(start_rebuild, None)
    assert dollars(store) == expected
    assert Directory(store).apps[app].config.attribution_windows == {"click_install": 3}
    assert [at > 0 for (at,) in store.rows("SELECT at FROM app_setting ORDER BY at")] == [False, True]


def test_rates_are_imported_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    file = tmp_path / "rates.csv"
    file.write_text("date,currency,usd_rate\n2024-05-01,EUR,1.07\n")
    assert main(["import", "rates", str(file), "--data", str(data)]) == 0
    file.write_text("date,currency,usd_rate\n2024-05-01,EUR,1.08\n")
    assert main(["import", "rates", str(file), "--data", str(data)]) == 1
    told = capsys.readouterr()
    assert "1 added" in told.out
    assert "EUR on 2024-05-01: 1.07 stands" in told.err
    assert main(["import", "rates", str(file), "--replace", "--data", str(data)]) == 0


def test_bodies_are_kept_compact(store: Store) -> None:
    app = app_in(store, "UTC")
    purchase(store, app, MIDNIGHT, "7", "USD")
    dollars(store)
    assert set(msgspec.json.decode(store.rows(BODIES)[0][0])) <= {
        "first_event_for_user", "dimensions", "revenue", "currency", "micro"
    }  # fmt: skip
