-- Claims: how several workers share an inbox. Intake writes nothing of it: what nobody has claimed has no row. The rules of 0001
-- hold.

-- A queue is shared by all who name it, and locked by whoever changes its claims.
CREATE TABLE claim_queues (
    org_id      UUID NOT NULL,
    queue       TEXT NOT NULL,
    fence       BIGINT NOT NULL,  -- the newest that was given out
    claimed_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, queue)
) /* sqlite: WITHOUT ROWID */;

-- How far claims with one set of filters have come: up to here every message that fits has been claimed, or never will be.
CREATE TABLE claim_places (
    org_id      UUID NOT NULL,
    queue       TEXT NOT NULL,
    filters     TEXT NOT NULL,
    through_id  UUID NOT NULL,
    PRIMARY KEY (org_id, queue, filters)
) /* sqlite: WITHOUT ROWID */;

CREATE TABLE claims (
    org_id      UUID NOT NULL,
    message_id  UUID NOT NULL,
    queue       TEXT NOT NULL,
    fence       BIGINT NOT NULL,
    until       BIGINT NOT NULL,  -- when the lease runs out; 0: it was given back
    acked_at    BIGINT,
    PRIMARY KEY (org_id, message_id, queue)
) /* sqlite: WITHOUT ROWID */;
-- All that is asked of an open claim is in the index: SQLite would look up each row for acked_at.
CREATE INDEX claims_open ON claims (org_id, queue, message_id, until, acked_at) WHERE acked_at IS NULL;
