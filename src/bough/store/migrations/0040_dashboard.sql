CREATE TABLE app_day_count (
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    day BIGINT NOT NULL,
    kind TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (app, test, day, kind)
);
CREATE TABLE link_day_count (
    link BIGINT NOT NULL,
    day BIGINT NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    clicks BIGINT NOT NULL,
    PRIMARY KEY (link, day, dimension, value)
);
CREATE TABLE link_day_event (
    link BIGINT NOT NULL,
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    day BIGINT NOT NULL,
    name TEXT NOT NULL,
    count BIGINT NOT NULL,
    micro BIGINT NOT NULL,
    PRIMARY KEY (link, app, test, day, name)
);
CREATE TABLE app_day_event (
    app BIGINT NOT NULL,
    day BIGINT NOT NULL,
    name TEXT NOT NULL,
    count BIGINT NOT NULL,
    micro BIGINT NOT NULL,
    PRIMARY KEY (app, day, name)
);
CREATE TABLE report (
    id {id},
    organization BIGINT NOT NULL,
    account_user BIGINT NOT NULL,
    app BIGINT NOT NULL,
    name TEXT NOT NULL,
    request TEXT NOT NULL,
    every TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT,
    last_job TEXT,
    delivered_job TEXT
);
CREATE INDEX report_by_organization ON report (organization, id);
CREATE INDEX person_touch_by_touch ON person_touch (touch);
