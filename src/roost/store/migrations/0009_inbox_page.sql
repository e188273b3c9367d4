-- The inbox page: who is signed in, and how far each thread was read. The rules of 0001 hold.

-- A link that signs in once; it goes when it is used.
CREATE TABLE sign_in_links (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL,
    hash        BYTEA NOT NULL UNIQUE,  -- SHA-256 of the token in the link, which is 256 random bits
    scopes      TEXT NOT NULL,          -- separated by spaces
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX sign_in_links_by_expiry ON sign_in_links (org_id, expires_at);

-- A browser that is signed in; it goes when it signs out.
CREATE TABLE sessions (
    org_id      UUID NOT NULL,
    id          UUID NOT NULL UNIQUE,
    hash        BYTEA NOT NULL UNIQUE,  -- SHA-256 of what the cookie has, which is 256 random bits
    scopes      TEXT NOT NULL,
    api_key_id  UUID,                   -- the key that it was signed in with, and ends with
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX sessions_by_expiry ON sessions (org_id, expires_at);

-- Up to which inbound message somebody of the organization has read what a contact wrote to a number.
CREATE TABLE thread_reads (
    org_id          UUID NOT NULL,
    contact_number  TEXT NOT NULL,
    number          TEXT NOT NULL,
    read_id         UUID NOT NULL,
    PRIMARY KEY (org_id, contact_number, number)
) /* sqlite: WITHOUT ROWID */;
CREATE INDEX thread_reads_by_message ON thread_reads (org_id, read_id);
