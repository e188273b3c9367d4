-- Webhooks: who is told, with which secrets, and the log of what they were told. A statement that ends after its first
-- conditions is a page: `pages.py` adds the filters, the order and the limit.

-- begin_feed: from here on where nobody of the organization was told until now
INSERT INTO webhook_feeds (org_id, next_us, leased_until) SELECT p.org_id, p.last_us + 1, 0 FROM positions p WHERE p.org_id = $1
ON CONFLICT (org_id) DO UPDATE SET next_us = excluded.next_us
WHERE NOT EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.org_id = excluded.org_id AND e.active);

-- create_endpoint: no row comes back when there are enough
INSERT INTO webhook_endpoints
    (org_id, id, kind, url, events, description, active, since, failures, not_before, created_at, updated_at)
SELECT $1, $2, 'organization', $3, $4, $5, TRUE, p.last_us + 1, 0, 0, $6, $6 FROM positions p
WHERE p.org_id = $1 AND (SELECT count(*) FROM webhook_endpoints e
    WHERE e.org_id = $1 AND e.kind = 'organization' AND e.deleted_at IS NULL) < $7
RETURNING id;

-- put_number_url: one of a number's; the same URL again changes nothing
INSERT INTO webhook_endpoints
    (org_id, id, kind, url, events, description, active, since, failures, not_before, created_at, updated_at)
SELECT $1, $2, $3, $4, $5, '', TRUE, p.last_us + 1, 0, 0, $6, $6 FROM positions p WHERE p.org_id = $1
ON CONFLICT (org_id, id, kind) DO UPDATE SET url = excluded.url, active = TRUE, failures = 0, not_before = 0,
    updated_at = excluded.updated_at,
    since = CASE WHEN webhook_endpoints.active THEN webhook_endpoints.since ELSE excluded.since END
WHERE webhook_endpoints.url <> excluded.url;

-- drop_number_url: it is told nothing more
DELETE FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND kind = $3;

-- endpoints: a page
SELECT id, org_id, url, events, description, active, created_at, updated_at
FROM webhook_endpoints WHERE org_id = $1 AND id < $2 AND kind = 'organization' AND deleted_at IS NULL;

-- endpoint: one
SELECT id, org_id, url, events, description, active, created_at, updated_at
FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND kind = 'organization' AND deleted_at IS NULL;

-- change_endpoint: one that was switched off is told from now on
UPDATE webhook_endpoints SET url = $3, events = $4, description = $5, failures = 0, not_before = 0, updated_at = $7,
    since = CASE WHEN active THEN since ELSE (SELECT p.last_us + 1 FROM positions p WHERE p.org_id = $1) END, active = $6
WHERE org_id = $1 AND id = $2 AND kind = 'organization';

-- delete_endpoint: no row comes back when there is none
UPDATE webhook_endpoints SET active = FALSE, deleted_at = $3, updated_at = $3
WHERE org_id = $1 AND id = $2 AND kind = 'organization' AND deleted_at IS NULL RETURNING id;

-- forget_retired: secrets that nothing is signed with any more
DELETE FROM webhook_secrets WHERE org_id = $1 AND endpoint_id = $2 AND valid_until <= $3;

-- forget_secrets: of an endpoint that is told nothing any more
DELETE FROM webhook_secrets WHERE org_id = $1 AND endpoint_id = $2;

-- retire_secret: the current one, if there is one
UPDATE webhook_secrets SET valid_until = $3 WHERE org_id = $1 AND endpoint_id = $2 AND valid_until IS NULL;

-- add_secret: the current one from now on
INSERT INTO webhook_secrets (org_id, endpoint_id, id, secret) VALUES ($1, $2, $3, $4);

-- secrets: the current one first
SELECT secret FROM webhook_secrets
WHERE org_id = $1 AND endpoint_id = $2 AND (valid_until IS NULL OR valid_until > $3)
ORDER BY CASE WHEN valid_until IS NULL THEN 0 ELSE 1 END, id DESC;

-- deliveries: a page
SELECT id, endpoint_id, kind, event_id, source_id, event_type, contact, url, attempt, outcome, status, milliseconds,
    body_sha256, body_bytes, excerpt, error
FROM webhook_deliveries WHERE org_id = $1 AND id < $2;

-- delivery: one
SELECT id, endpoint_id, kind, event_id, source_id, event_type, contact, url, attempt, outcome, status, milliseconds,
    body_sha256, body_bytes, excerpt, error
FROM webhook_deliveries WHERE org_id = $1 AND id = $2;

-- log_deliveries: what became of tries
INSERT INTO webhook_deliveries (org_id, id, endpoint_id, kind, event_id, source_id, event_type, contact, url, attempt, outcome,
    status, milliseconds, body_sha256, body_bytes, excerpt, error)
SELECT org_id, id, endpoint_id, kind, event_id, source_id, event_type, contact, url, attempt, outcome, status, milliseconds,
    body_sha256, body_bytes, excerpt, error
FROM wanted WHERE TRUE;
