"""The SQL of sign-in."""

ACCOUNT = "SELECT password, totp, totp_step FROM signin_account WHERE id = ?"
ACCOUNTS_NAMED = (
    "SELECT u.id, a.password, a.totp FROM account_user u LEFT JOIN signin_account a ON a.id = u.id"
    " WHERE lower(u.email) = ? AND u.disabled_at IS NULL ORDER BY u.id"
)
INSERT_ACCOUNT = "INSERT INTO signin_account (id, password, totp, totp_step, updated_at) VALUES (?, ?, '', 0, ?)"
SET_PASSWORD = "UPDATE signin_account SET password = ?, updated_at = ? WHERE id = ?"
SET_TOTP = "UPDATE signin_account SET totp = ?, totp_step = ?, updated_at = ? WHERE id = ?"
USE_STEP = "UPDATE signin_account SET totp_step = ? WHERE id = ? AND totp_step < ?"

SESSION = "SELECT account_user, stage, created_at, seen_at FROM signin_session WHERE hash = ?"
SESSIONS_OF = (
    "SELECT hash, created_at, seen_at, address, agent FROM signin_session"
    " WHERE account_user = ? AND stage = 'full' ORDER BY seen_at DESC, hash"
)
INSERT_SESSION = (
    "INSERT INTO signin_session (hash, account_user, stage, created_at, seen_at, address, agent)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
SEEN = "UPDATE signin_session SET seen_at = ? WHERE hash = ?"
END_SESSION = "DELETE FROM signin_session WHERE hash = ?"
END_SESSIONS_OF = "DELETE FROM signin_session WHERE account_user = ? AND hash <> ?"
END_OLD_SESSIONS = "DELETE FROM signin_session WHERE created_at < ? OR seen_at < ?"

LINK = "SELECT account_user, purpose, expires_at FROM signin_link WHERE hash = ?"
INSERT_LINK = "INSERT INTO signin_link (hash, account_user, purpose, expires_at) VALUES (?, ?, ?, ?)"
END_LINKS_OF = "DELETE FROM signin_link WHERE account_user = ?"

ATTEMPT = "SELECT count, at FROM signin_attempt WHERE subject = ?"
INSERT_ATTEMPT = "INSERT INTO signin_attempt (subject, count, at) VALUES (?, ?, ?)"
SET_ATTEMPT = "UPDATE signin_attempt SET count = ?, at = ? WHERE subject = ?"
FORGET_ATTEMPT = "DELETE FROM signin_attempt WHERE subject = ?"
FORGET_OLD_ATTEMPTS = "DELETE FROM signin_attempt WHERE at < ?"

IDENTITY = "SELECT account_user FROM signin_identity WHERE issuer = ? AND subject = ?"
IDENTITY_OF = "SELECT subject FROM signin_identity WHERE issuer = ? AND account_user = ?"
INSERT_IDENTITY = "INSERT INTO signin_identity (issuer, subject, account_user) VALUES (?, ?, ?)"

USERS_NAMED = (
    "SELECT id, organization, email FROM account_user WHERE lower(email) = ? AND disabled_at IS NULL ORDER BY id"
)
USER_NUMBERED = "SELECT id, organization, email FROM account_user WHERE id = ? AND disabled_at IS NULL"
USER = "SELECT email FROM account_user WHERE id = ?"
