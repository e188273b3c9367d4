-- The group commit on SQLite: one prepared statement per row.

-- holders: of a number
SELECT carrier_account_id, id, agent_id FROM numbers WHERE number = $1;

-- counter: of one organization; BEGIN IMMEDIATE has locked it already
SELECT last_us FROM positions WHERE org_id = $1;

-- insert_key: changes nothing for a replay
INSERT INTO message_keys (org_id, carrier_account_id, carrier_message_id, to_number, message_id)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- insert_message: the columns of `Group.messages`; with the newest outbound message that it can answer (what surely never
-- left is none), and with whether its sender is on a block list
INSERT INTO inbound_messages (org_id, id, phone_number_id, agent_id, from_number, to_number, body, channel, media,
    recipients, segment_count, opt_out_keyword, suspected, carrier_message_id, carrier_received_at, opt_out,
    carrier_account_id, raw, thread_id, related_outbound_id, blocked)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, o.thread_id, o.id,
    EXISTS (SELECT 1 FROM blocked_senders b WHERE b.org_id = $1 AND b.sender = $5 AND b.number IN ($6, ''))
FROM (SELECT 1) LEFT JOIN outbound_messages o ON o.org_id = $1 AND o.id = (
    SELECT p.id FROM outbound_messages p INDEXED BY outbound_by_pair
    WHERE p.org_id = $1 AND p.to_number = $5 AND p.from_number = $6 AND p.id > $19
        AND NOT (p.status = 'failed' AND p.carrier_message_id IS NULL)
    ORDER BY p.id DESC LIMIT 1);

-- insert_receipt: changes nothing for a replay
INSERT INTO delivery_receipts (org_id, carrier_account_id, carrier_message_id, recipient, event, error_code,
    description, carrier_time, received_at, raw)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING;

-- insert_unrouted: changes nothing for a replay
INSERT INTO unrouted_deliveries (org_id, id, carrier_account_id, delivery_key, reason, to_number, received_at, raw)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING;
