"""`bough warehouse`: make the analysis tables again from the store; how far they are."""

from __future__ import annotations

import argparse
from typing import Never

from tqdm import tqdm

from bough.commands.options import Commands, add_data, settings_of
from bough.commands.owner import attribute, until
from bough.store import Store, watermark
from bough.store.data_folder import opened_store
from bough.warehouse.refresh import SEGMENTS, Keeper
from bough.warehouse.watermarks import REBUILT, ask_for_rebuild

COUNT_SEGMENTS = "SELECT count(*) FROM segment WHERE id <= ?"
ALL_SEGMENTS = "SELECT count(*) FROM segment"


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("warehouse", help="the tables that cohort exports are answered from")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    rebuild = actions.add_parser(
        "rebuild", help="drop the tables and make them again from the journal and its segments"
    )
    add_data(rebuild)
    rebuild.set_defaults(run=run_rebuild)


def run_rebuild(arguments: argparse.Namespace) -> None:
    """`bough warehouse rebuild`: also while the server runs; returns when exports can be asked for again."""
    settings = settings_of(arguments)
    with opened_store(settings) as store:
        wanted = ask_for_rebuild(store)
        with tqdm(total=store.rows(ALL_SEGMENTS)[0][0], unit=" files", desc="warehouse", disable=None) as bar:

            def done() -> bool:
                _show(bar, store, watermark.reached(store, SEGMENTS))
                return watermark.reached(store, REBUILT) >= wanted

            def work(keeper: Keeper) -> None:
                attribute(store)
                keeper.take_in(lambda row: _show(bar, store, row))

            until(settings.folder, store, done, work)
    print("The warehouse was made again.")


def _show(bar: tqdm[Never], store: Store, row: int) -> None:
    """Segments are ingested by the order of their rows, from the first one again."""
    reached = int(store.rows(COUNT_SEGMENTS, (row,))[0][0])
    if bar.n < reached < (bar.total or 0) or bar.n == 0:
        bar.update(reached - bar.n)
