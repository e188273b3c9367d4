-- Who is signed in to the inbox page. A link and a session are found by the hash of a secret, without an organization.

-- create_link: it signs in once, until it expires
INSERT INTO sign_in_links (org_id, id, hash, scopes, expires_at) VALUES ($1, $2, $3, $4, $5);

-- link: still good for a session; looking at it does not use it
SELECT org_id, scopes FROM sign_in_links WHERE hash = $1 AND expires_at > $2;

-- use_link: no row comes back when it was used already, or has expired
DELETE FROM sign_in_links WHERE hash = $1 AND expires_at > $2 RETURNING org_id, scopes;

-- create_session: only the hash of the cookie is kept
INSERT INTO sessions (org_id, id, hash, scopes, api_key_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- session: that is good now; one that a key signed in is as good as the key
SELECT s.org_id, s.id, s.scopes, s.api_key_id, s.expires_at, s.hash FROM sessions s
WHERE s.hash = $1 AND s.expires_at > $2 AND (s.api_key_id IS NULL OR EXISTS (SELECT 1 FROM api_keys k
    WHERE k.org_id = s.org_id AND k.id = s.api_key_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)));

-- end_session: no row comes back when it had ended
DELETE FROM sessions WHERE org_id = $1 AND id = $2 RETURNING id;

-- end_sessions: all of an organization's, and the links to more
DELETE FROM sessions WHERE org_id = $1 RETURNING id;

-- end_links: so that nobody signs in with one that was given away before
DELETE FROM sign_in_links WHERE org_id = $1 RETURNING id;
