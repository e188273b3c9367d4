-- Webhooks out. The rules of 0001 hold.

-- Who is told. A number's URLs are here too, under the number's id.
CREATE TABLE webhook_endpoints (
    org_id       UUID NOT NULL,
    id           UUID NOT NULL,
    kind         TEXT NOT NULL,     -- organization, inbound_url, status_url
    url          TEXT NOT NULL,
    events       TEXT NOT NULL,     -- separated by spaces
    description  TEXT NOT NULL,
    active       BOOLEAN NOT NULL,  -- nothing is sent where it is not: switched off, answered 410, or deleted
    since        BIGINT NOT NULL,   -- the position from which on it is told
    failures     INTEGER NOT NULL,  -- since it last took an event
    not_before   BIGINT NOT NULL,   -- until then it is left alone
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    deleted_at   BIGINT,
    PRIMARY KEY (org_id, id, kind)
);

-- An endpoint's secrets, and under the organization's own id the one that its numbers' URLs share.
CREATE TABLE webhook_secrets (
    org_id       UUID NOT NULL,
    endpoint_id  UUID NOT NULL,
    id           UUID NOT NULL,
    secret       BYTEA NOT NULL,    -- encrypted
    valid_until  BIGINT,            -- null: it is the current one
    PRIMARY KEY (org_id, endpoint_id, id)
);

-- How far the event log of an organization has been handed to its endpoints, and whose work that is.
CREATE TABLE webhook_feeds (
    org_id        UUID NOT NULL PRIMARY KEY,
    next_us       BIGINT NOT NULL,  -- all before this position is
    lease         UUID,
    leased_until  BIGINT NOT NULL
) /* sqlite: WITHOUT ROWID */;

-- What an endpoint is still to be told. Of one thread only the first has a due_at; the others wait for it.
CREATE TABLE webhook_queue (
    org_id       UUID NOT NULL,
    endpoint_id  UUID NOT NULL,
    kind         TEXT NOT NULL,
    event_id     UUID NOT NULL,     -- as it is sent; a replay has one of its own
    source_id    UUID NOT NULL,     -- of the event in the log
    event_type   TEXT NOT NULL,
    thread       TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at       BIGINT,
    give_up_at   BIGINT NOT NULL,
    PRIMARY KEY (org_id, endpoint_id, kind, event_id)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX webhook_queue_due    ON webhook_queue (org_id, endpoint_id, kind, due_at);
CREATE INDEX webhook_queue_thread ON webhook_queue (org_id, endpoint_id, kind, thread, event_id);
CREATE INDEX webhook_queue_age    ON webhook_queue (org_id, event_id);

-- The log: one row for each try. Its time is in its id.
CREATE TABLE webhook_deliveries (
    org_id         UUID NOT NULL,
    id             UUID NOT NULL,
    endpoint_id    UUID NOT NULL,
    kind           TEXT NOT NULL,
    event_id       UUID NOT NULL,
    source_id      UUID,            -- null: a test's
    event_type     TEXT NOT NULL,
    contact        TEXT NOT NULL,   -- whom it was about: an answer may repeat their words
    url            TEXT NOT NULL,
    attempt        INTEGER NOT NULL,
    outcome        TEXT NOT NULL,   -- success, retry, dead
    status         INTEGER,
    milliseconds   INTEGER NOT NULL,
    body_sha256    BYTEA,           -- null: there was no try, only its end
    body_bytes     INTEGER NOT NULL,
    excerpt        TEXT,            -- of the answer
    error          TEXT,
    PRIMARY KEY (org_id, id)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (org_id, endpoint_id, id);
CREATE INDEX webhook_deliveries_by_outcome  ON webhook_deliveries (org_id, outcome, id);
CREATE INDEX webhook_deliveries_by_contact  ON webhook_deliveries (org_id, contact) WHERE excerpt IS NOT NULL;

-- Numbers have had URLs before anything was sent to them: they are told of what comes from now on.
INSERT INTO webhook_endpoints
    (org_id, id, kind, url, events, description, active, since, failures, not_before, created_at, updated_at)
SELECT n.org_id, n.id, 'inbound_url', n.inbound_url, 'message.received', '', TRUE, p.last_us + 1, 0, 0, n.created_at, n.created_at
FROM numbers n JOIN positions p ON p.org_id = n.org_id WHERE n.inbound_url IS NOT NULL;
INSERT INTO webhook_endpoints
    (org_id, id, kind, url, events, description, active, since, failures, not_before, created_at, updated_at)
SELECT n.org_id, n.id, 'status_url', n.status_url, 'message.status', '', TRUE, p.last_us + 1, 0, 0, n.created_at, n.created_at
FROM numbers n JOIN positions p ON p.org_id = n.org_id WHERE n.status_url IS NOT NULL;
INSERT INTO webhook_feeds (org_id, next_us, leased_until)
SELECT p.org_id, p.last_us + 1, 0 FROM positions p WHERE p.org_id IN (SELECT org_id FROM webhook_endpoints);
