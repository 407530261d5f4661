CREATE TABLE organization (
    id {id},
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE app (
    id {id},
    organization BIGINT NOT NULL,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    config TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE app_key (
    id {id},
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    branch_key TEXT NOT NULL UNIQUE,
    secret_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE TABLE domain (
    id {id},
    host TEXT NOT NULL,
    prefix TEXT NOT NULL,
    scheme TEXT NOT NULL,
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    UNIQUE (host, prefix)
);
CREATE TABLE account_user (
    id {id},
    organization BIGINT NOT NULL,
    email TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization, email)
);
CREATE TABLE token (
    id {id},
    account_user BIGINT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE TABLE link (
    id {id},
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    domain TEXT NOT NULL,
    path TEXT NOT NULL,
    alias TEXT,
    type SMALLINT NOT NULL,
    channel TEXT,
    feature TEXT,
    campaign TEXT,
    stage TEXT,
    tags TEXT,
    data TEXT NOT NULL,
    duration BIGINT NOT NULL,
    identity TEXT,
    identity_id BIGINT,
    source SMALLINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT,
    UNIQUE (domain, path)
);
CREATE INDEX link_by_app ON link (app, test, id);
CREATE TABLE identity (
    id {id},
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    identity TEXT NOT NULL,
    UNIQUE (app, test, identity)
);
CREATE TABLE change (
    id {id},
    at BIGINT NOT NULL,
    subject TEXT NOT NULL,
    app BIGINT NOT NULL,
    link BIGINT,
    domain TEXT,
    path TEXT,
    before TEXT
);
CREATE INDEX change_by_link ON change (link, id);
CREATE TABLE journal (
    id {id},
    at BIGINT NOT NULL,
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    link BIGINT,
    body TEXT NOT NULL
);
CREATE TABLE watermark (
    name TEXT PRIMARY KEY,
    journal BIGINT NOT NULL
);
CREATE TABLE link_count (
    link {id},
    clicks BIGINT NOT NULL,
    last_click_at BIGINT NOT NULL
);
CREATE TABLE app_count (
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (app, test, kind)
);
