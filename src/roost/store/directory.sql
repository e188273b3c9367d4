-- What an organization sees and changes of its own small tables. A statement that ends after its first conditions is a
-- page: `pages.py` adds the filters, the order and the limit.

-- organization_profile: with what it has set for itself
SELECT org_id, name, created_at, settings FROM organizations WHERE org_id = $1;

-- change_organization: all that can change
UPDATE organizations SET name = $2, settings = $3, updated_at = $4 WHERE org_id = $1;

-- api_keys: a page
SELECT id, org_id, label, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
FROM api_keys WHERE org_id = $1 AND id < $2;

-- api_key_one: one, revoked or not
SELECT id, org_id, label, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
FROM api_keys WHERE org_id = $1 AND id = $2;

-- api_key_owner: for the command line, which is given an id alone
SELECT org_id FROM api_keys WHERE id = $1;

-- revoke_api_key: no row comes back when it was revoked already, whose time stands
UPDATE api_keys SET revoked_at = $3 WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id;

-- use_api_key: at most once a minute, whichever process
UPDATE api_keys SET last_used_at = $3 WHERE org_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $4);

-- in_force: of what was shown, what nobody has taken back and no time has ended
SELECT w.kind, w.org_id, w.id FROM wanted w WHERE
    (w.kind = 'api_key' AND EXISTS (SELECT 1 FROM api_keys k WHERE k.org_id = w.org_id AND k.id = w.id
        AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > w.now)))
    OR (w.kind = 'access_token' AND EXISTS (SELECT 1 FROM access_tokens t WHERE t.org_id = w.org_id AND t.id = w.id
        AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > w.now)))
    OR (w.kind IN ('open_agent', 'agent') AND EXISTS (SELECT 1 FROM agents a WHERE a.org_id = w.org_id AND a.id = w.id
        AND (a.open OR w.kind = 'agent')))
    OR (w.kind = 'session' AND EXISTS (SELECT 1 FROM sessions s WHERE s.org_id = w.org_id AND s.id = w.id
        AND s.expires_at > w.now AND (s.api_key_id IS NULL OR EXISTS (SELECT 1 FROM api_keys k WHERE k.org_id = s.org_id
            AND k.id = s.api_key_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > w.now)))));

-- access_tokens: a page
SELECT id, agent_id, name, prefix, created_by, created_at, expires_at, last_used_at, revoked_at
FROM access_tokens WHERE org_id = $1 AND id < $2;

-- access_token_owner: for the command line, which is given an id alone
SELECT org_id, agent_id FROM access_tokens WHERE id = $1;

-- revoke_access_token: no row comes back when it was revoked already
UPDATE access_tokens SET revoked_at = $4 WHERE org_id = $1 AND id = $2 AND agent_id = $3 AND revoked_at IS NULL
RETURNING id;

-- use_access_token: at most once a minute, whichever process
UPDATE access_tokens SET last_used_at = $3
WHERE org_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $4);

-- agents: a page
SELECT org_id, id, wallet_as_registered, open FROM agents WHERE org_id = $1 AND id < $2;

-- agent_one: by id
SELECT org_id, id, wallet_as_registered, open FROM agents WHERE org_id = $1 AND id = $2;

-- open_agent: or close it
UPDATE agents SET open = $3 WHERE org_id = $1 AND id = $2;

-- numbers_of_agent: in the order in which they were registered
SELECT number FROM numbers WHERE org_id = $1 AND agent_id = $2 ORDER BY id;

-- create_number: no row comes back when the number is registered already
INSERT INTO numbers (org_id, id, number, carrier_account_id, agent_id, label, created_at,
                     number_type, inbound_url, status_url, segments_per_second)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (number) DO NOTHING RETURNING id;

-- number: who holds it, whichever organization
SELECT org_id, id, number, carrier_account_id, agent_id, label, created_at,
       number_type, inbound_url, status_url, segments_per_second, updated_at FROM numbers WHERE number = $1;

-- numbers: a page
SELECT org_id, id, number, carrier_account_id, agent_id, label, created_at,
       number_type, inbound_url, status_url, segments_per_second, updated_at FROM numbers WHERE org_id = $1 AND id < $2;

-- number_one: by id
SELECT org_id, id, number, carrier_account_id, agent_id, label, created_at,
       number_type, inbound_url, status_url, segments_per_second, updated_at FROM numbers WHERE org_id = $1 AND id = $2;

-- change_number: all that can change
UPDATE numbers SET agent_id = $3, label = $4, inbound_url = $5, status_url = $6, segments_per_second = $7, updated_at = $8
WHERE org_id = $1 AND id = $2;

-- remove_number: its messages stay
DELETE FROM numbers WHERE org_id = $1 AND id = $2;

-- forget_pace: of a number that is gone
DELETE FROM number_paces WHERE org_id = $1 AND phone_number_id = $2;

-- cancel_messages_of_number: what no worker holds and surely was not sent
UPDATE outbound_messages SET status = 'failed', error_code = 'CANCELED', error_description = $3
WHERE org_id = $1 AND id IN (SELECT message_id FROM outbox
                             WHERE org_id = $1 AND phone_number_id = $2 AND state IN ('queued', 'waiting', 'held'))
RETURNING id;

-- empty_outbox_of_number: of what was just cancelled
DELETE FROM outbox WHERE org_id = $1 AND phone_number_id = $2 AND state IN ('queued', 'waiting', 'held');

-- withdraw_leases_of_number: what a worker holds may not leave any more
UPDATE outbox SET withdrawn = 'CANCELED'
WHERE org_id = $1 AND phone_number_id = $2 AND state = 'leased' AND withdrawn IS NULL;

-- audit_log: a page
SELECT id, org_id, action, resource_type, resource_id, actor_kind, actor_id, occurred_at, payload
FROM audit_log WHERE org_id = $1 AND id < $2;
