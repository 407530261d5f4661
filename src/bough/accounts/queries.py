"""The SQL of accounts."""

ALL_APPS = "SELECT id, organization, name, timezone, config, created_at FROM app ORDER BY id"
ALL_KEYS = "SELECT app, test, branch_key, secret_hash, expires_at FROM app_key ORDER BY id"
ALL_DOMAINS = "SELECT host, prefix, scheme, app, test, kind FROM domain ORDER BY id"
ALL_TOKENS = "SELECT hash, id, account_user, expires_at, scopes FROM token WHERE revoked_at IS NULL ORDER BY id"
ALL_USERS = (
    "SELECT id, organization, email, name, permissions, level, apps, agency, agency_data_only, filters"
    " FROM account_user WHERE disabled_at IS NULL ORDER BY id"
)
ALL_AGENCIES = "SELECT id, organization, name, tag, created_at FROM agency ORDER BY id"

INSERT_ORGANIZATION = "INSERT INTO organization (id, name, created_at) VALUES (?, ?, ?)"
ALL_ORGANIZATIONS = "SELECT id, name FROM organization ORDER BY id"
FIRST_ORGANIZATION = "SELECT id FROM organization ORDER BY id LIMIT 1"
INSERT_APP = "INSERT INTO app (id, organization, name, timezone, config, created_at) VALUES (?, ?, ?, ?, ?, ?)"
UPDATE_APP = "UPDATE app SET name = ?, timezone = ?, config = ? WHERE id = ?"
INSERT_KEY = (
    "INSERT INTO app_key (id, app, test, branch_key, secret_hash, created_at, expires_at)"
    " VALUES (?, ?, ?, ?, ?, ?, NULL)"
)
EXPIRE_KEYS = "UPDATE app_key SET expires_at = ? WHERE app = ? AND test = ? AND (expires_at IS NULL OR expires_at > ?)"
INSERT_DOMAIN = "INSERT INTO domain (id, host, prefix, scheme, app, test, kind) VALUES (?, ?, ?, ?, ?, ?, ?)"
DOMAIN_OWNER = "SELECT app FROM domain WHERE host = ? AND prefix = ?"
DOMAIN_OF_KIND = "SELECT host FROM domain WHERE app = ? AND test = ? AND kind = ?"
KIND_OF_DOMAIN = "SELECT kind FROM domain WHERE host = ? AND prefix = ? AND app = ?"
MAKE_CUSTOM = "UPDATE domain SET kind = 'custom' WHERE app = ? AND test = ? AND kind = 'default'"
LINK_BEHIND = "SELECT id FROM link WHERE domain = ? AND substr(path, 1, 5) = ? LIMIT 1"
LINK_OF_APP_BEHIND = "SELECT id FROM link WHERE app = ? AND domain = ? AND substr(path, 1, length(?)) = ? LIMIT 1"
DELETE_DOMAIN = "DELETE FROM domain WHERE host = ? AND prefix = ? AND app = ?"
INSERT_USER = "INSERT INTO account_user (id, organization, email, permissions, created_at) VALUES (?, ?, ?, ?, ?)"
FIND_USER = "SELECT id FROM account_user WHERE organization = ? AND email = ?"
INSERT_TOKEN = (
    "INSERT INTO token (id, account_user, name, hash, created_at, expires_at, kind, scopes)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
PERMANENT_TOKEN = "SELECT id FROM token WHERE account_user = ? AND kind = 'permanent' AND revoked_at IS NULL"
