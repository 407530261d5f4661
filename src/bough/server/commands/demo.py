"""`bough demo`: a server with a sample app, and requests to paste."""

from __future__ import annotations

import argparse
import json
import os
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

from bough.accounts.creation import NewApp, as_document, create_app
from bough.accounts.directory import Directory
from bough.accounts.model import AppConfig
from bough.commands.options import Commands, add_data, remember_address
from bough.errors import ConfigurationError
from bough.samples.bookshop import SAMPLE_CONFIG, create_sample_links
from bough.samples.visitors import VISITORS
from bough.server.commands import serve
from bough.server.processes.supervisor import bind, supervise
from bough.settings import Settings
from bough.signin.exposure import refuse_exposed
from bough.store.data_folder import check_writable, opened_store

APP_NAME = "Bough Books"


def add_to(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser("demo", help="run a server with a sample app and print requests to paste")
    serve.add_address(parser, default_port=8000)
    serve.add_workers(parser)
    parser.add_argument("--empty", action="store_true", help="an app without sample links and without a year of data")
    add_data(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Make the sample app if the folder has none, write DIR/demo.json, serve."""
    check_writable(serve.settings_for(arguments))
    listener = bind(arguments.host, arguments.port)
    arguments.port = listener.getsockname()[1]
    settings = serve.settings_for(arguments)
    base_url = serve.base_url(arguments.host, arguments.port)
    card = settings.folder / "demo.json"
    with opened_store(settings, makes=True) as store:
        if not card.exists():
            config = AppConfig() if arguments.empty else SAMPLE_CONFIG
            founded = create_app(store, NewApp(name=APP_NAME, base_url=base_url, config=config))
            if not arguments.empty:
                create_sample_links(store)
            write_card(card, {"base_url": base_url, **as_document(founded)})
        refuse_exposed(settings.folder, Directory(store), arguments.host, settings.base_url)
        welcome = serve.first_steps(store, settings)
    document = json.loads(card.read_text())
    if document["base_url"] != base_url:
        raise ConfigurationError(
            f"{settings.folder} holds the demo of {document['base_url']}; use --port for it, or another --data folder."
        )
    remember_address(settings)
    text = instructions(document) + (f"\n{welcome}" if welcome else "")
    announcing = partial(_announce, text, document, settings, arguments.empty)
    supervise(listener, arguments.workers, settings, announcing)


def write_card(path: Path, document: dict[str, object]) -> None:
    """demo.json: whole or not at all, readable by its owner only, since it holds secrets."""
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _announce(text: str, document: dict[str, str], settings: Settings, is_empty: bool) -> None:
    """Print the text once the server answers, then bring in the demo's year and today's people."""
    _wait_for(document["base_url"])
    print(text, flush=True)
    if is_empty:
        return
    # Only here: the importers load the warehouse's engine.
    from bough.samples.fill import fill_year
    from bough.samples.phones import play

    with opened_store(settings) as store:
        filled = fill_year(store, settings.folder)
    if filled:
        people = play(document["base_url"], document["branch_key"])
        counts = f"{filled.events:,} events, {filled.clicks:,} clicks, {filled.costs:,} costs"
        print(f"A year of demo data is in: {counts}, and {people} people of today.", flush=True)


def _wait_for(base_url: str) -> None:
    """Wait until the server answers, however long; the supervisor ends this process when it never will."""
    while True:
        try:
            with urllib.request.urlopen(f"{base_url}/readyz", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)


def instructions(document: dict[str, str]) -> str:
    """What `bough demo` prints: requests that work as they stand."""
    base = document["base_url"]
    opened = "\n".join(f"curl -si {base}/hello -A '{user_agent}'" for user_agent in VISITORS)
    return f"""
bough is ready at {base}

1. Create a link:

curl -X POST {base}/v1/url -H 'Content-Type: application/json' -d '{{
  "branch_key": "{document["branch_key"]}",
  "alias": "hello", "channel": "email", "campaign": "first steps",
  "data": {{"$canonical_identifier": "book/1", "$og_title": "A first book",
           "$ios_url": "https://example.com/ios/books/1",
           "$android_url": "https://example.com/android/books/1",
           "$desktop_url": "https://example.com/books/1"}}}}'

2. Open it as an iPhone, an Android phone, a desktop browser, and a preview robot:

{opened}

3. See where every platform goes, and why: {base}/hello?debug=1

4. Read, change and delete it:

curl '{base}/v1/url?url={base}/hello&branch_key={document["branch_key"]}'
curl -X PUT '{base}/v1/url?url={base}/hello' -H 'Content-Type: application/json' -d '{{
  "branch_key": "{document["branch_key"]}", "branch_secret": "{document["branch_secret"]}", "channel": "twitter"}}'
curl -X DELETE '{base}/v1/url?url={base}/hello&app_id={document["app_id"]}' \\
  -H 'Access-Token: {document["access_token"]}'

5. Look at it all in a browser: {base}/dashboard

Keys, secrets and the token are in demo.json in the data folder. Ctrl-C stops the server.
"""
