-- Retention. The rules of 0001 hold.

-- Messages were kept for 90 days where nothing else was set; now the default is 30. Nobody loses by an upgrade what was to
-- be kept: organizations that are there keep theirs for 90 until they set another time.
UPDATE organizations SET settings = '{"message_retention_days": 90}' WHERE settings IS NULL;
UPDATE organizations SET settings = '{"message_retention_days": 90, ' || substr(settings, 2)
WHERE settings LIKE '{"%' AND settings NOT LIKE '%"message_retention_days"%';

-- What one process at a time does for all: whose it is, and until when.
CREATE TABLE leases (
    name    TEXT NOT NULL PRIMARY KEY,
    holder  UUID NOT NULL,
    until   BIGINT NOT NULL
) /* sqlite: WITHOUT ROWID */;

-- So that what is swept by its age is found by it.
CREATE INDEX message_keys_by_message   ON message_keys (org_id, message_id);
CREATE INDEX delivery_receipts_by_time ON delivery_receipts (org_id, received_at);

-- The newest text of a contact that was perhaps an opt-out: that it was said outlives the text.
CREATE TABLE suspected_opt_outs (
    org_id          UUID NOT NULL,
    contact_number  TEXT NOT NULL,
    number          TEXT NOT NULL,
    message_id      UUID NOT NULL,
    PRIMARY KEY (org_id, contact_number, number)
) /* sqlite: WITHOUT ROWID */;
INSERT INTO suspected_opt_outs (org_id, contact_number, number, message_id)
SELECT i.org_id, i.from_number, i.to_number, i.id FROM inbound_messages i
WHERE i.suspected AND NOT EXISTS (
    SELECT 1 FROM inbound_messages n
    WHERE n.suspected AND n.org_id = i.org_id AND n.from_number = i.from_number AND n.to_number = i.to_number AND n.id > i.id);
DROP INDEX inbound_suspected;
