-- What a consumer could not digest, kept with the reason until it is replayed (bough.store.set_aside).
CREATE TABLE set_aside (
    id {id},
    consumer TEXT NOT NULL,
    app BIGINT NOT NULL,
    kind TEXT NOT NULL,
    item BIGINT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    replay SMALLINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX set_aside_item ON set_aside (consumer, kind, item);
-- sqlite
INSERT INTO watermark (name, journal)
    SELECT 'attribution', -1 FROM (SELECT 1 FROM link_day_event WHERE typeof(micro) = 'real' LIMIT 1) AS one WHERE TRUE
    ON CONFLICT (name) DO UPDATE SET journal = excluded.journal;
-- Sums of dollars in two parts, which cannot overflow (bough.money). Where one has already, they are made again.
ALTER TABLE link_day_event ADD COLUMN thousands BIGINT NOT NULL DEFAULT 0;
ALTER TABLE app_day_event ADD COLUMN thousands BIGINT NOT NULL DEFAULT 0;
UPDATE link_day_event SET thousands = CAST(micro AS BIGINT) / 1000000000, micro = CAST(micro AS BIGINT) % 1000000000
    WHERE micro >= 1000000000 OR micro <= -1000000000;
UPDATE app_day_event SET thousands = micro / 1000000000, micro = micro % 1000000000
    WHERE micro >= 1000000000 OR micro <= -1000000000;
