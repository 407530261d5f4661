CREATE TABLE device_key (
    id {id},
    opening BIGINT NOT NULL
);
CREATE TABLE touch_key (
    key BIGINT NOT NULL,
    touch BIGINT NOT NULL,
    PRIMARY KEY (key, touch)
);
CREATE TABLE claim (
    id {id},
    opening BIGINT NOT NULL,
    owners TEXT NOT NULL
);
CREATE TABLE once_used (
    id {id},
    opening BIGINT NOT NULL
);
CREATE TABLE bundle_identity (
    id {id},
    identity TEXT NOT NULL
);
