CREATE TABLE signin_account (
    id {id},
    password TEXT NOT NULL,
    totp TEXT NOT NULL,
    totp_step BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE TABLE signin_session (
    hash TEXT PRIMARY KEY,
    account_user BIGINT NOT NULL,
    stage TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX signin_session_by_user ON signin_session (account_user);
CREATE TABLE signin_link (
    hash TEXT PRIMARY KEY,
    account_user BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE signin_attempt (
    subject TEXT PRIMARY KEY,
    count BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX signin_attempt_by_time ON signin_attempt (at);
CREATE TABLE signin_identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account_user BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
