-- sqlite
CREATE TABLE touch_key_only (
    key BIGINT NOT NULL,
    touch BIGINT NOT NULL,
    PRIMARY KEY (key, touch)
) WITHOUT ROWID;
-- sqlite
INSERT INTO touch_key_only (key, touch) SELECT key, touch FROM touch_key ORDER BY key, touch;
-- sqlite
DROP TABLE touch_key;
-- sqlite
ALTER TABLE touch_key_only RENAME TO touch_key;
-- sqlite
CREATE TABLE link_day_count_only (
    link BIGINT NOT NULL,
    day BIGINT NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    clicks BIGINT NOT NULL,
    PRIMARY KEY (link, day, dimension, value)
) WITHOUT ROWID;
-- sqlite
INSERT INTO link_day_count_only (link, day, dimension, value, clicks)
    SELECT link, day, dimension, value, clicks FROM link_day_count ORDER BY link, day, dimension, value;
-- sqlite
DROP TABLE link_day_count;
-- sqlite
ALTER TABLE link_day_count_only RENAME TO link_day_count;
