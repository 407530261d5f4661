CREATE TABLE export_job (
    id {id},
    job_id TEXT NOT NULL UNIQUE,
    organization BIGINT NOT NULL,
    account_user BIGINT NOT NULL,
    request TEXT NOT NULL,
    apps TEXT NOT NULL,
    filters TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    row_count BIGINT,
    rows_total BIGINT,
    data_as_of BIGINT,
    warnings TEXT,
    file_name TEXT,
    error_code BIGINT,
    error_message TEXT,
    callback_url TEXT,
    callback_attempts BIGINT NOT NULL,
    callback_at BIGINT
);
CREATE INDEX export_job_by_status ON export_job (status, id);
CREATE INDEX export_job_by_organization ON export_job (organization, id);
CREATE TABLE server_secret (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE segment (
    id {id},
    app BIGINT NOT NULL,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    UNIQUE (app, sha256)
);
CREATE TABLE cost (
    id {id},
    app BIGINT NOT NULL,
    day BIGINT NOT NULL,
    dimensions TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (app, day, dimensions)
);
CREATE INDEX cost_by_update ON cost (updated_at);
