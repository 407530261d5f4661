"""Secrets that are known to others, on an address that others can reach: such a server does not start.

bough has no built-in secrets: keys, tokens and signing keys are random. What comes near to a default is the demo's card
(`demo.json`): its branch secrets and token stand in a file in the clear, and `bough demo` prints one of them.
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from urllib.parse import urlsplit

from bough.accounts.directory import Directory
from bough.errors import BoughError, ConfigurationError

CARD = "demo.json"

HOW = (
    "make new ones (`bough apps keys --rotate live --overlap 0 APP`, the same with `test`, and a new token), "
    "or use another --data folder"
)


def is_public(host: str) -> bool:
    """Whether others can reach a host name or listening address: anything but this machine's own."""
    name = host.lower().strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(name).is_loopback
    except ValueError:
        return True


def public_address(listening: str, base_url: str) -> str:
    """The public one of the two addresses, or empty."""
    if is_public(listening):
        return listening
    host = urlsplit(base_url).hostname or ""
    return host if is_public(host) else ""


def demo_secrets(folder: Path, directory: Directory) -> list[str]:
    """Which secrets of the folder's demo.json still open something."""
    try:
        card = json.loads((folder / CARD).read_text())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{folder / CARD} cannot be read: {error}.") from error
    found = []
    for key, secret in (("branch_key", "branch_secret"), ("test_branch_key", "test_branch_secret")):
        try:
            directory.by_secret(str(card.get(key)), str(card.get(secret)))
            found.append(secret)
        except BoughError:
            continue
    try:
        directory.by_token(str(card.get("access_token")))
        found.append("access_token")
    except BoughError:
        pass
    return found


def refuse_exposed(folder: Path, directory: Directory, listening: str, base_url: str) -> None:
    """Raises ConfigurationError when the demo's secrets would be open to others."""
    address = public_address(listening, base_url)
    secrets = demo_secrets(folder, directory) if address else []
    if secrets:
        raise ConfigurationError(
            f"{address} is a public address, and the demo's secrets in {folder / CARD} ({', '.join(secrets)}) "
            f"still work: {HOW}."
        )
