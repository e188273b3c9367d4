-- Statements that both databases run as they stand. Every one that reads a tenant's rows names the organization, except
-- the look-ups by which a tenant is found: carrier account by id, key and token by hash, agent by wallet.

-- create_organization: with its counter, in one transaction
INSERT INTO organizations (org_id, name, created_at) VALUES ($1, $2, $3);

-- create_position: the organization's one counter
INSERT INTO positions (org_id, last_us) VALUES ($1, $2);

-- organizations: all, oldest first
SELECT org_id, name, created_at FROM organizations ORDER BY org_id;

-- organization: one, by id
SELECT org_id, name, created_at FROM organizations WHERE org_id = $1;

-- organization_policy: its name and its settings
SELECT name, settings FROM organizations WHERE org_id = $1;

-- organizations_named: by name, which need not be unique
SELECT org_id, name, created_at FROM organizations WHERE name = $1 ORDER BY org_id;

-- create_carrier_account: the secrets are encrypted
INSERT INTO carrier_accounts (org_id, id, carrier, label, secrets, created_at) VALUES ($1, $2, $3, $4, $5, $6);

-- carrier_account: by its id alone, as intake knows it
SELECT id, org_id, carrier, secrets FROM carrier_accounts WHERE id = $1;

-- create_agent: no row comes back when the wallet is registered already
INSERT INTO agents (org_id, id, wallet, wallet_as_registered, open, created_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (wallet) DO NOTHING RETURNING id;

-- agent: by wallet, lower-cased
SELECT org_id, id, wallet_as_registered, open FROM agents WHERE wallet = $1;

-- open_agents: those whose wallet address alone is believed
SELECT org_id, id, wallet_as_registered, open FROM agents WHERE open ORDER BY org_id, id;

-- create_api_key: only the hash of the key is kept
INSERT INTO api_keys (org_id, id, label, prefix, hash, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- api_key: by the hash of what the client sent
SELECT id, org_id, scopes, expires_at, last_used_at, hash FROM api_keys WHERE hash = $1 AND revoked_at IS NULL;

-- create_access_token: only the hash of the token is kept
INSERT INTO access_tokens (org_id, id, agent_id, name, prefix, hash, created_by, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- access_token: by the hash of what the client sent
SELECT id, org_id, agent_id, expires_at, last_used_at, hash FROM access_tokens WHERE hash = $1 AND revoked_at IS NULL;

-- forget_nonces: of proofs that have run out; nobody else's
DELETE FROM proof_nonces WHERE org_id = $1 AND expires_at < $2;

-- remember_nonce: no row comes back when it was used already
INSERT INTO proof_nonces (org_id, agent_id, nonce, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING expires_at;

-- unrouted: what could not be placed and still waits, oldest first
SELECT org_id, id, carrier_account_id, reason, to_number, received_at, raw, routed_at, message_id
FROM unrouted_deliveries WHERE org_id = $1 AND routed_at IS NULL ORDER BY id LIMIT $2;

-- unrouted_one: one, routed or not
SELECT org_id, id, carrier_account_id, reason, to_number, received_at, raw, routed_at, message_id
FROM unrouted_deliveries WHERE org_id = $1 AND id = $2;

-- mark_routed: with the message that it became
UPDATE unrouted_deliveries SET routed_at = $3, message_id = $4 WHERE org_id = $1 AND id = $2 RETURNING id;

-- messages_of_carrier_id: the message that one carrier message became, per number
SELECT message_id, to_number FROM message_keys
WHERE org_id = $1 AND carrier_account_id = $2 AND carrier_message_id = $3;

-- keep_installation_value: the first one stands
INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;

-- installation_value: by name
SELECT value FROM installation WHERE name = $1;

-- applied_migrations: in order
SELECT version, checksum FROM schema_migrations ORDER BY version;

-- record_migration: as it was applied
INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4);

-- log_change: an entry of the audit log
INSERT INTO audit_log (org_id, id, action, resource_type, resource_id, actor_kind, actor_id, occurred_at, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);
