-- Sending, threads, consent, and what an organization does for itself. The rules of 0001 hold.

ALTER TABLE organizations ADD COLUMN settings TEXT;  -- JSON of what differs from the defaults
ALTER TABLE organizations ADD COLUMN updated_at BIGINT;

ALTER TABLE numbers ADD COLUMN number_type TEXT NOT NULL DEFAULT 'local';
ALTER TABLE numbers ADD COLUMN inbound_url TEXT;
ALTER TABLE numbers ADD COLUMN status_url TEXT;
ALTER TABLE numbers ADD COLUMN segments_per_second DOUBLE PRECISION;  -- null: the server's default
ALTER TABLE numbers ADD COLUMN updated_at BIGINT;

ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;
ALTER TABLE access_tokens ADD COLUMN last_used_at BIGINT;
ALTER TABLE access_tokens ADD COLUMN created_by TEXT;

ALTER TABLE inbound_messages ADD COLUMN blocked BOOLEAN NOT NULL DEFAULT FALSE;  -- its sender is on a block list
CREATE INDEX inbound_by_thread ON inbound_messages (org_id, thread_id, id) WHERE thread_id IS NOT NULL;
CREATE INDEX inbound_suspected ON inbound_messages (org_id, from_number, to_number, id) WHERE suspected;

-- created_at is the time in the id, as an inbound message's received_at is.
CREATE TABLE outbound_messages (
    org_id               UUID NOT NULL,
    id                   UUID NOT NULL,
    phone_number_id      UUID NOT NULL,
    carrier_account_id   UUID NOT NULL,
    agent_id             UUID,            -- who sent it, or who held the number
    request_id           UUID,            -- the request of dialect B that it belongs to
    from_number          TEXT NOT NULL,
    to_number            TEXT NOT NULL,
    body                 TEXT NOT NULL,
    channel              TEXT NOT NULL,
    media                TEXT,            -- JSON list of URLs; null when there is none
    priority             TEXT NOT NULL,
    tag                  TEXT,
    purpose              TEXT NOT NULL,   -- message, auto_reply or double_opt_in
    status               TEXT NOT NULL,   -- queued, sending, sent, delivered, undelivered, failed
    error_code           TEXT,
    error_description    TEXT,
    segment_count        INTEGER NOT NULL,
    carrier_message_id   TEXT,
    sent_at              BIGINT,
    delivered_at         BIGINT,
    thread_id            UUID NOT NULL,   -- the first message of its thread
    PRIMARY KEY (org_id, id)
);
CREATE INDEX outbound_by_status  ON outbound_messages (org_id, status, id);
CREATE INDEX outbound_by_from    ON outbound_messages (org_id, from_number, id);
CREATE INDEX outbound_by_pair    ON outbound_messages (org_id, to_number, from_number, id);
CREATE INDEX outbound_by_to      ON outbound_messages (org_id, to_number, id);
CREATE INDEX outbound_by_tag     ON outbound_messages (org_id, tag, id) WHERE tag IS NOT NULL;
CREATE INDEX outbound_by_thread  ON outbound_messages (org_id, thread_id, id);
CREATE INDEX outbound_threads    ON outbound_messages (org_id, id) WHERE id = thread_id;
CREATE INDEX outbound_by_request ON outbound_messages (org_id, request_id) WHERE request_id IS NOT NULL;
CREATE INDEX outbound_by_carrier_id ON outbound_messages (org_id, carrier_account_id, carrier_message_id)
    WHERE carrier_message_id IS NOT NULL;

-- What is still to be handed to a carrier; a row goes when its message is settled.
--   queued     may be leased now
--   waiting    may be queued at due_at
--   leased     a worker is at it until due_at; after that it was perhaps sent
--   uncertain  was perhaps sent, and is never sent again blindly
--   held       waits for an operator
CREATE TABLE outbox (
    org_id           UUID NOT NULL,
    message_id       UUID NOT NULL,
    phone_number_id  UUID NOT NULL,
    to_number        TEXT NOT NULL,
    state            TEXT NOT NULL,
    rank             INTEGER NOT NULL,          -- 0 before 1
    due_at           BIGINT NOT NULL,
    expires_at       BIGINT,                    -- it may not leave later than this
    segment_count    INTEGER NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,
    lease            UUID,                      -- whose it is
    withdrawn        TEXT,                      -- while leased: why it may not leave any more
    PRIMARY KEY (org_id, message_id)
);
CREATE INDEX outbox_ready   ON outbox (org_id, state, phone_number_id, rank, message_id);
CREATE INDEX outbox_due     ON outbox (org_id, state, due_at);
CREATE INDEX outbox_by_pair ON outbox (org_id, to_number, phone_number_id);

-- When each number may send its next segment.
CREATE TABLE number_paces (
    org_id           UUID NOT NULL,
    phone_number_id  UUID NOT NULL,
    next_at          BIGINT NOT NULL,
    PRIMARY KEY (org_id, phone_number_id)
) /* sqlite: WITHOUT ROWID */;

-- The current right to text a person from a number, kept by the number's text: deleting and adding a number forgets nothing.
CREATE TABLE consents (
    org_id               UUID NOT NULL,
    contact_number       TEXT NOT NULL,
    number               TEXT NOT NULL,
    id                   UUID NOT NULL,
    phone_number_id      UUID NOT NULL,
    state                TEXT NOT NULL,   -- opted_in, opted_out, or pending (a double opt-in that was never answered)
    opted_in_at          BIGINT,
    opted_out_at         BIGINT,
    opted_out_carrier_at BIGINT,          -- the standing opt-out in the carrier's time
    source               TEXT NOT NULL,   -- api, inbound_reply, inbound_message, carrier, hosted_form
    consent_method       TEXT NOT NULL,   -- checkbox, sms_keyword, written, verbal, attested, double_opt_in, hosted_form
    challenge_id         UUID,            -- the open double opt-in
    challenge_message_id UUID,
    challenge_agreement  TEXT,
    challenge_expires_at BIGINT,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL, -- a position of the organization: strictly grows
    PRIMARY KEY (org_id, contact_number, number)
);
CREATE UNIQUE INDEX consents_by_id      ON consents (org_id, id);
CREATE INDEX consents_by_update         ON consents (org_id, updated_at);

-- The ledger of consent: only ever added to.
CREATE TABLE consent_events (
    org_id               UUID NOT NULL,
    id                   UUID NOT NULL,
    consent_id           UUID NOT NULL,
    event                TEXT NOT NULL,   -- opt_in, opt_out, reconfirm, expired
    source               TEXT NOT NULL,
    keyword              TEXT,
    message_id           UUID,            -- the inbound message that is the evidence
    consent_method       TEXT,
    evidence             TEXT,            -- JSON
    agreement_text_hash  TEXT,
    carrier_at           BIGINT,
    occurred_at          BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX consent_events_by_consent ON consent_events (org_id, consent_id, id);

-- Senders whose texts are stored and marked, and never pushed. An empty number stands for all of the organization's.
CREATE TABLE blocked_senders (
    org_id      UUID NOT NULL,
    sender      TEXT NOT NULL,
    number      TEXT NOT NULL,
    id          UUID NOT NULL,
    reason      TEXT,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, sender, number)
) /* sqlite: WITHOUT ROWID */;

-- The first success of a POST that had an Idempotency-Key; without a status it is still running.
CREATE TABLE idempotency_keys (
    org_id       UUID NOT NULL,
    route        TEXT NOT NULL,
    key          TEXT NOT NULL,
    body_hash    BYTEA NOT NULL,
    started_at   BIGINT NOT NULL,
    resource_id  UUID,             -- written in the transaction that made the resource
    status       INTEGER,
    response     BYTEA,            -- encrypted
    PRIMARY KEY (org_id, route, key)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX idempotency_keys_by_start ON idempotency_keys (org_id, started_at);

CREATE TABLE audit_log (
    org_id         UUID NOT NULL,
    id             UUID NOT NULL,
    action         TEXT NOT NULL,
    resource_type  TEXT NOT NULL,
    resource_id    TEXT NOT NULL,
    actor_kind     TEXT NOT NULL,  -- api_key, agent, operator, carrier, contact
    actor_id       TEXT,
    occurred_at    BIGINT NOT NULL,
    payload        TEXT,           -- JSON of what changed; never a secret, never a message's words
    PRIMARY KEY (org_id, id)
);

-- Dialect B: a request to send, and what the agent is told.
CREATE TABLE agent_requests (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL,
    agent_id    UUID NOT NULL,
    tool        TEXT NOT NULL,
    quote_id    TEXT,
    recipients  TEXT NOT NULL,     -- JSON: each recipient with the message that it became, or why there is none
    memo        TEXT,
    created_at  BIGINT NOT NULL,
    completed_at BIGINT,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, quote_id)
);

CREATE TABLE notifications (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL,
    agent_id    UUID NOT NULL,
    type        TEXT NOT NULL,
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    metadata    TEXT NOT NULL,     -- JSON
    created_at  BIGINT NOT NULL,
    read_at     BIGINT,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX notifications_by_agent ON notifications (org_id, agent_id, id);
