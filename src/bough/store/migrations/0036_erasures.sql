CREATE TABLE erasure (
    id {id},
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    person BIGINT NOT NULL,
    step TEXT NOT NULL,
    reached BIGINT NOT NULL,
    plan TEXT NOT NULL,
    old_file TEXT NOT NULL,
    actor TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    done_at BIGINT
);
CREATE INDEX erasure_by_step ON erasure (step, id);
