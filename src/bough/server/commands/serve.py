"""`bough serve`: run the server."""

from __future__ import annotations

import argparse
import logging
import os

from bough.accounts.directory import Directory
from bough.commands.options import Commands, add_data, remember_address, whole_number
from bough.logs import configure
from bough.server.processes.supervisor import bind, supervise
from bough.settings import Settings, load_settings
from bough.signin.exposure import refuse_exposed
from bough.signin.links import address, first_link
from bough.store import Store
from bough.store.data_folder import check_writable, opened_store


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("serve", help="run the server")
    add_address(parser, default_port=8000)
    add_workers(parser)
    add_data(parser)
    parser.set_defaults(run=run)


def add_address(parser: argparse.ArgumentParser, default_port: int) -> None:
    """--host and --port."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=whole_number(0, 65535),
        default=default_port,
        help=f"port to listen on (default: {default_port})",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """--workers."""
    parser.add_argument(
        "--workers", type=whole_number(1, 32), default=1, metavar="N", help="processes that answer (default: 1)"
    )


def base_url(host: str, port: int) -> str:
    """The public address when BOUGH_BASE_URL does not say another one."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def settings_for(arguments: argparse.Namespace) -> Settings:
    """Settings, with the base URL following --host and --port unless it is set."""
    given = None if "BOUGH_BASE_URL" in os.environ else base_url(arguments.host, arguments.port)
    return load_settings(data=arguments.data, store=arguments.store, base_url=given)


def first_steps(store: Store, settings: Settings) -> str:
    """What to do as long as the owner has no password, with a fresh one-time link; empty once it has one."""
    code = first_link(store)
    if code is None:
        return ""
    return f"Set the owner's password, to sign in with a browser: {address(settings.base_url, code)}\n"


def run(arguments: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    settings = settings_for(arguments)
    configure(settings.log_level)
    check_writable(settings)
    listener = bind(arguments.host, arguments.port)  # first: a port that cannot be had leaves no folder behind
    # Brings the tables up to date before several processes open them.
    with opened_store(settings, makes=True) as store:
        refuse_exposed(settings.folder, Directory(store), arguments.host, settings.base_url)
        welcome = first_steps(store, settings)
    remember_address(settings)
    print(welcome, end="", flush=True)
    logging.getLogger("bough.serve").info("bough listens on %s", base_url(arguments.host, listener.getsockname()[1]))
    supervise(listener, arguments.workers, settings)
