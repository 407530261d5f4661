CREATE TABLE attributed (
    id {id},
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    grp BIGINT NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    name TEXT NOT NULL,
    counted SMALLINT NOT NULL,
    touch BIGINT,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX attributed_by_group ON attributed (grp, at);
CREATE INDEX attributed_by_version ON attributed (version);
CREATE TABLE group_key (
    id {id},
    grp BIGINT NOT NULL
);
CREATE INDEX group_key_by_group ON group_key (grp);
CREATE TABLE person_touch (
    id {id},
    touch BIGINT NOT NULL,
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    grp BIGINT NOT NULL,
    person BIGINT NOT NULL,
    at BIGINT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX person_touch_by_group ON person_touch (grp, at);
CREATE INDEX person_touch_by_version ON person_touch (version);
CREATE TABLE person_merge (
    id {id},
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    person BIGINT NOT NULL,
    into_person BIGINT NOT NULL
);
CREATE TABLE rate (
    day TEXT NOT NULL,
    currency TEXT NOT NULL,
    usd_rate TEXT NOT NULL,
    PRIMARY KEY (day, currency)
);
CREATE TABLE rate_missing (
    id {id},
    day TEXT NOT NULL,
    currency TEXT NOT NULL
);
CREATE TABLE app_setting (
    app BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (app, at)
);
CREATE TABLE server_open (
    id {id},
    at BIGINT NOT NULL
);
CREATE INDEX person_merge_by_target ON person_merge (into_person);
