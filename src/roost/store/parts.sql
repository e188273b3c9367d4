-- Texts in parts.

-- part_known: a replay is found by the part's own id
SELECT 1 FROM message_parts
WHERE org_id = $1 AND carrier_account_id = $2 AND carrier_message_id = $3 AND to_number = $4;

-- parts_of_text: all that came lately with the same reference, waiting and made
SELECT part, made_at FROM message_parts
WHERE org_id = $1 AND carrier_account_id = $2 AND from_number = $3 AND to_number = $4 AND reference = $5 AND total = $6
    AND received_at > $7;

-- insert_part: it waits
INSERT INTO message_parts (org_id, carrier_account_id, carrier_message_id, to_number, from_number, reference, part, total,
    body, carrier_received_at, received_at, raw)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- waiting_parts: of one text
SELECT part, carrier_message_id, body, carrier_received_at, raw FROM message_parts
WHERE org_id = $1 AND carrier_account_id = $2 AND from_number = $3 AND to_number = $4 AND reference = $5 AND total = $6
    AND made_at IS NULL;

-- settle_parts: those of one text that wait have become a message, which has their words
UPDATE message_parts SET made_at = $7, body = '', raw = $8
WHERE org_id = $1 AND carrier_account_id = $2 AND from_number = $3 AND to_number = $4 AND reference = $5 AND total = $6
    AND made_at IS NULL;

-- overdue_accounts: with a part that has waited too long
SELECT DISTINCT org_id, carrier_account_id FROM message_parts WHERE made_at IS NULL AND received_at < $1;

-- overdue_texts: of one account
SELECT DISTINCT from_number, to_number, reference, total FROM message_parts
WHERE org_id = $1 AND carrier_account_id = $2 AND made_at IS NULL AND received_at < $3;

-- holder: of a number of the account
SELECT id, agent_id FROM numbers WHERE org_id = $1 AND carrier_account_id = $2 AND number = $3;

-- forget_parts: of what was made long ago
DELETE FROM message_parts WHERE org_id = $1 AND made_at < $2;
