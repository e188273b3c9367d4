-- The first schema, for both databases. SQLite knows no UUID and no BYTEA, and keeps whatever is bound: ids are 16 bytes there.
--
-- Rules that keep it portable to a database distributed by organization: org_id comes first in every primary key and index;
-- ids and times are made in the application; no sequences, triggers or foreign keys. What is looked up without an
-- organization (numbers, agents, keys, tokens, carrier accounts) is small and has a unique key of its own. Times are
-- microseconds since 1970.

CREATE TABLE organizations (
    org_id      UUID NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    created_at  BIGINT NOT NULL
) /* sqlite: WITHOUT ROWID */;

-- One counter per organization numbers everything that readers follow, in commit order: a transaction that writes such a
-- row holds the counter's row until it has committed.
CREATE TABLE positions (
    org_id   UUID NOT NULL PRIMARY KEY,
    last_us  BIGINT NOT NULL
) /* sqlite: WITHOUT ROWID */;

CREATE TABLE carrier_accounts (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL UNIQUE,
    carrier     TEXT NOT NULL,
    label       TEXT NOT NULL,
    secrets     BYTEA NOT NULL,  -- JSON, encrypted
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE agents (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL UNIQUE,
    wallet      TEXT NOT NULL UNIQUE,  -- lower-cased, as it is compared
    wallet_as_registered TEXT NOT NULL,
    open        BOOLEAN NOT NULL,      -- the X-Agent-ID header alone is believed
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE numbers (
    org_id              UUID NOT NULL,
    id                  UUID NOT NULL,
    number              TEXT NOT NULL UNIQUE,  -- a number belongs to one carrier account
    carrier_account_id  UUID NOT NULL,
    agent_id            UUID,
    label               TEXT NOT NULL,
    created_at          BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE api_keys (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL UNIQUE,
    label       TEXT NOT NULL,
    prefix      TEXT NOT NULL,
    hash        BYTEA NOT NULL UNIQUE,  -- SHA-256 of the key, which has 175 random bits of its own
    scopes      TEXT NOT NULL,            -- separated by spaces
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE access_tokens (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL UNIQUE,
    agent_id    UUID NOT NULL,
    name        TEXT NOT NULL,
    prefix      TEXT NOT NULL,
    hash        BYTEA NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT,
    PRIMARY KEY (org_id, id)
);

-- A wallet proof works once: its nonce is remembered until the proof has run out.
CREATE TABLE proof_nonces (
    org_id      UUID NOT NULL,
    agent_id    UUID NOT NULL,
    nonce       BYTEA NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, agent_id, nonce)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX proof_nonces_by_expiry ON proof_nonces (org_id, expires_at);

-- received_at is not a column: it is the time in the id (UUIDv7, to the microsecond).
CREATE TABLE inbound_messages (
    org_id               UUID NOT NULL,
    id                   UUID NOT NULL,
    phone_number_id      UUID NOT NULL,
    agent_id             UUID,           -- who held the number at receipt
    from_number          TEXT NOT NULL,
    to_number            TEXT NOT NULL,
    body                 TEXT NOT NULL,
    channel              TEXT NOT NULL,
    media                TEXT,             -- JSON list of URLs; null when there is none
    recipients           TEXT,             -- JSON list; null unless there are several
    segment_count        INTEGER NOT NULL,
    opt_out_keyword      TEXT,
    suspected            BOOLEAN NOT NULL,
    carrier_message_id   TEXT NOT NULL,
    carrier_received_at  BIGINT,
    thread_id            UUID,
    related_outbound_id  UUID,
    opt_out              BOOLEAN NOT NULL,
    carrier_account_id   UUID NOT NULL,
    raw                  BYTEA NOT NULL, -- the carrier's event, to the byte
    PRIMARY KEY (org_id, id)
);
-- One for each filter, so that a list is one range scan whatever it is filtered by, also where nothing matches.
CREATE INDEX inbound_by_agent      ON inbound_messages (org_id, agent_id, id);
CREATE INDEX inbound_by_agent_from ON inbound_messages (org_id, agent_id, from_number, id);
CREATE INDEX inbound_by_from       ON inbound_messages (org_id, from_number, id);
CREATE INDEX inbound_by_to         ON inbound_messages (org_id, to_number, id);
CREATE INDEX inbound_by_number     ON inbound_messages (org_id, phone_number_id, id);
CREATE INDEX inbound_by_channel    ON inbound_messages (org_id, channel, id);
CREATE INDEX inbound_by_opt_out    ON inbound_messages (org_id, opt_out, id);

-- Exactly one message for one carrier message: written in the message's own transaction.
CREATE TABLE message_keys (
    org_id              UUID NOT NULL,
    carrier_account_id  UUID NOT NULL,
    carrier_message_id  TEXT NOT NULL,
    to_number           TEXT NOT NULL,
    message_id          UUID NOT NULL,
    PRIMARY KEY (org_id, carrier_account_id, carrier_message_id, to_number)
) /* sqlite: WITHOUT ROWID */;

-- Delivery receipts, kept even when no outbound message matches yet.
CREATE TABLE delivery_receipts (
    org_id              UUID NOT NULL,
    carrier_account_id  UUID NOT NULL,
    carrier_message_id  TEXT NOT NULL,
    recipient           TEXT NOT NULL,
    event               TEXT NOT NULL,
    error_code          TEXT,
    description         TEXT,
    carrier_time        BIGINT,
    received_at         BIGINT NOT NULL,
    raw                 BYTEA NOT NULL,
    PRIMARY KEY (org_id, carrier_account_id, carrier_message_id, recipient, event)
);

-- What a carrier delivered with a good credential but nobody could place.
CREATE TABLE unrouted_deliveries (
    org_id              UUID NOT NULL,
    id                  UUID NOT NULL,
    carrier_account_id  UUID NOT NULL,
    delivery_key        TEXT NOT NULL,     -- so that a replay is kept once
    reason              TEXT NOT NULL,
    to_number           TEXT,
    received_at         BIGINT NOT NULL,
    raw                 BYTEA NOT NULL,
    routed_at           BIGINT,
    message_id          UUID,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, carrier_account_id, delivery_key)
);

-- What the whole installation shares, such as the check value of the secret key.
CREATE TABLE installation (
    name   TEXT NOT NULL PRIMARY KEY,
    value  BYTEA NOT NULL
) /* sqlite: WITHOUT ROWID */;
