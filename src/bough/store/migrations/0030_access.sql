ALTER TABLE account_user ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE account_user ADD COLUMN level TEXT NOT NULL DEFAULT 'organization';
ALTER TABLE account_user ADD COLUMN apps TEXT;
ALTER TABLE account_user ADD COLUMN agency BIGINT;
ALTER TABLE account_user ADD COLUMN agency_data_only SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE account_user ADD COLUMN filters TEXT NOT NULL DEFAULT '[]';
ALTER TABLE account_user ADD COLUMN disabled_at BIGINT;
CREATE TABLE agency (
    id {id},
    organization BIGINT NOT NULL,
    name TEXT NOT NULL,
    tag TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (organization, name)
);
ALTER TABLE token ADD COLUMN kind TEXT NOT NULL DEFAULT 'named';
ALTER TABLE token ADD COLUMN scopes TEXT;
ALTER TABLE token ADD COLUMN revoked_at BIGINT;
CREATE INDEX token_by_user ON token (account_user, id);
CREATE TABLE audit (
    id {id},
    at BIGINT NOT NULL,
    organization BIGINT,
    account_user BIGINT,
    actor TEXT NOT NULL,
    ip TEXT NOT NULL,
    action TEXT NOT NULL,
    app BIGINT,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    filters TEXT NOT NULL
);
CREATE INDEX audit_by_organization ON audit (organization, id);
-- sqlite
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- sqlite
CREATE TRIGGER audit_loses_no_rows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- sqlite
CREATE TRIGGER audit_replaces_no_rows BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- postgres
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
-- postgres
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
-- postgres
CREATE TRIGGER audit_keeps_all_rows BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
