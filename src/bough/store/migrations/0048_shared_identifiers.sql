-- Identifiers that many devices or users share and that therefore join nobody (bough.attribution.sharing).
CREATE TABLE shared_identifier (
    id {id},
    app BIGINT NOT NULL,
    test SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL
);
CREATE INDEX shared_identifier_by_app ON shared_identifier (app, test);
