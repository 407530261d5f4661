"""The SQL of access requests and erasure."""

COLUMNS = "id, app, test, person, step, reached, plan, old_file, actor, row_count, asked_at, done_at"
INSERT = f"INSERT INTO erasure ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
NEXT = f"SELECT {COLUMNS} FROM erasure WHERE step <> 'done' ORDER BY id LIMIT 1"  # noqa: S608
BY_ID = f"SELECT {COLUMNS} FROM erasure WHERE id = ?"  # noqa: S608
OF_PERSON = f"SELECT {COLUMNS} FROM erasure WHERE app = ? AND test = ? AND person = ? AND step <> 'done'"  # noqa: S608
NEWEST = "SELECT max(id) FROM erasure"
SET_STEP = "UPDATE erasure SET step = ?, reached = ? WHERE id = ?"
SET_REACHED = "UPDATE erasure SET reached = ?, row_count = row_count + ? WHERE id = ?"
SET_OLD_FILE = "UPDATE erasure SET old_file = ? WHERE id = ?"
SET_PLAN = "UPDATE erasure SET plan = ? WHERE id = ?"
FINISH = "UPDATE erasure SET step = 'done', done_at = ? WHERE id = ?"

ROWS = (
    "SELECT id, at, app, test, kind, link, body FROM journal WHERE app = ? AND test = ? AND id > ? ORDER BY id LIMIT ?"
)
ROWS_BY_ID = "SELECT id, at, app, test, kind, link, body FROM journal WHERE id IN ({}) ORDER BY id"
SET_ROW = "UPDATE journal SET id = ?, body = ? WHERE id = ?"
SET_BODY = "UPDATE journal SET body = ? WHERE id = ?"
ROW_EXISTS = "SELECT kind FROM journal WHERE id = ?"

TOUCHES_OF_PERSON = "SELECT touch FROM person_touch WHERE app = ? AND test = ? AND person = ? AND name <> ''"
TOUCHES_OF_KEY = "SELECT touch FROM touch_key WHERE key = ?"
RENAME_TOUCH_KEY = "UPDATE touch_key SET key = ? WHERE key = ?"
FORGET_TOUCH_KEYS = "DELETE FROM touch_key WHERE touch = ?"
RENAME_DEVICE_KEY = "UPDATE device_key SET id = ? WHERE id = ?"
MOVE_CLAIM = "UPDATE claim SET id = ?, owners = '' WHERE id = ?"
FORGET_LOGIN = "DELETE FROM bundle_identity WHERE id = ? AND identity = ?"
FORGET_BUNDLE_ID = "DELETE FROM bundle_identity WHERE id = ?"

RENAME_IDENTITY = "UPDATE identity SET identity = ? WHERE app = ? AND test = ? AND identity = ?"
RENAME_LINK_IDENTITY = "UPDATE link SET identity = ? WHERE app = ? AND test = ? AND identity = ?"
LINKS = "SELECT id, data FROM link WHERE app = ? AND test = ? AND id > ? ORDER BY id LIMIT ?"
SET_LINK_DATA = "UPDATE link SET data = ? WHERE id = ?"
CHANGES = "SELECT id, before FROM change WHERE app = ? AND id > ? AND before IS NOT NULL ORDER BY id LIMIT ?"
SET_CHANGE = "UPDATE change SET before = ? WHERE id = ?"
LINKS_OF_IDENTITY = "SELECT domain, path, created_at FROM link WHERE app = ? AND test = ? AND identity = ? ORDER BY id"

SEGMENTS = "SELECT id, file_name FROM segment WHERE app = ? AND id > ? ORDER BY id LIMIT 1"
ALL_SEGMENTS = "SELECT id, file_name FROM segment WHERE app = ? ORDER BY id"
SET_SEGMENT = "UPDATE segment SET file_name = ? WHERE id = ?"
