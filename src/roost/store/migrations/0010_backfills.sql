-- Up to when the carrier's own record of an account has been read, and until when somebody is at it: one process at a time.
CREATE TABLE backfills (
    org_id              UUID NOT NULL,
    carrier_account_id  UUID NOT NULL,
    complete_until      BIGINT NOT NULL,
    leased_until        BIGINT NOT NULL,
    PRIMARY KEY (org_id, carrier_account_id)
) /* sqlite: WITHOUT ROWID */;
