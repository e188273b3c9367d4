-- Parts of texts that a carrier delivers one by one, until they are whole or have waited long enough. The rules of 0001 hold.

CREATE TABLE message_parts (
    org_id               UUID NOT NULL,
    carrier_account_id   UUID NOT NULL,
    carrier_message_id   TEXT NOT NULL,    -- the part's own, so that a replay is kept once
    to_number            TEXT NOT NULL,
    from_number          TEXT NOT NULL,
    reference            TEXT NOT NULL,    -- what the parts of one text share; senders use it again and again
    part                 INTEGER NOT NULL, -- from 1
    total                INTEGER NOT NULL,
    body                 TEXT NOT NULL,
    carrier_received_at  BIGINT,
    received_at          BIGINT NOT NULL,
    made_at              BIGINT,           -- when a message was made of it; the same of all that it was made with
    raw                  BYTEA NOT NULL,
    PRIMARY KEY (org_id, carrier_account_id, carrier_message_id, to_number)
);
CREATE INDEX parts_of_text ON message_parts (org_id, carrier_account_id, from_number, to_number, reference, total);
CREATE INDEX parts_waiting ON message_parts (org_id, received_at) WHERE made_at IS NULL;
CREATE INDEX parts_made    ON message_parts (org_id, made_at) WHERE made_at IS NOT NULL;
