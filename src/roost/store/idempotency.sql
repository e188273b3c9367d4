-- Idempotency keys. A claim is known by its organization, route, key and the time at which it began.

-- forget_claims: those past their window
DELETE FROM idempotency_keys WHERE org_id = $1 AND started_at < $2;

-- claim: no row comes back when somebody has the key
INSERT INTO idempotency_keys (org_id, route, key, started_at, body_hash) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING started_at;

-- claim_of: who has it, and how far they came
SELECT started_at, body_hash, resource_id, status, response FROM idempotency_keys
WHERE org_id = $1 AND route = $2 AND key = $3;

-- take_over: of one who never finished; no row comes back when somebody else was faster
UPDATE idempotency_keys SET started_at = $5
WHERE org_id = $1 AND route = $2 AND key = $3 AND started_at = $4 AND status IS NULL RETURNING started_at;

-- note_resource: no row comes back when the claim was taken over
UPDATE idempotency_keys SET resource_id = $5
WHERE org_id = $1 AND route = $2 AND key = $3 AND started_at = $4 AND status IS NULL RETURNING started_at;

-- finish_claim: no row comes back when the claim was taken over
UPDATE idempotency_keys SET status = $5, response = $6
WHERE org_id = $1 AND route = $2 AND key = $3 AND started_at = $4 AND status IS NULL RETURNING started_at;

-- finish_claim_by_name: the answer is made again of the resource, so that it holds no words that the resource has lost since;
-- no row comes back when the claim was taken over
UPDATE idempotency_keys SET status = $5, resource_id = $6
WHERE org_id = $1 AND route = $2 AND key = $3 AND started_at = $4 AND status IS NULL RETURNING started_at;

-- drop_claim: unless it made something
DELETE FROM idempotency_keys
WHERE org_id = $1 AND route = $2 AND key = $3 AND started_at = $4 AND resource_id IS NULL AND status IS NULL;
