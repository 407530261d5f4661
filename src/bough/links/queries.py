"""The SQL of links. Values that differ are parameters; only column lists of this module are put into the texts."""

from bough.links.codec import COLUMNS, SELECTED

BY_PATH = f"SELECT {SELECTED} FROM link WHERE domain = ? AND path = ?"  # noqa: S608 - columns of our own
BY_ID = f"SELECT {SELECTED} FROM link WHERE id = ?"  # noqa: S608
NEWEST_ID = "SELECT max(id) FROM link"
UPDATE = f"UPDATE link SET {', '.join(f'{c} = ?' for c in COLUMNS[1:])} WHERE id = ?"  # noqa: S608
DELETE = "DELETE FROM link WHERE id = ?"
DELETE_COUNT = "DELETE FROM link_count WHERE link = ?"
EXTEND = "UPDATE link SET expires_at = ? WHERE id = ?"
IDENTITY_ID = "SELECT id FROM identity WHERE app = ? AND test = ? AND identity = ?"
INSERT_IDENTITY = "INSERT INTO identity (id, app, test, identity) VALUES (?, ?, ?, ?)"
NEWEST_IDENTITY = "SELECT max(id) FROM identity"
HISTORY = "SELECT id, at, before FROM change WHERE link = ? ORDER BY id"
