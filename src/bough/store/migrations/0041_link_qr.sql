ALTER TABLE link ADD COLUMN qr_code_settings TEXT;
