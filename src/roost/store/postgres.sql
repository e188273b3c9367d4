-- The group commit on PostgreSQL: one statement per table per group.

-- holders: of several numbers
SELECT carrier_account_id, number, id, agent_id FROM numbers WHERE number = ANY($1::text[]);

-- counters: locked until commit, in sorted order, so that groups never deadlock
SELECT org_id, last_us FROM positions WHERE org_id = ANY($1::uuid[]) ORDER BY org_id FOR UPDATE;

-- advance: of several organizations
UPDATE positions SET last_us = new.last_us FROM unnest($1::uuid[], $2::bigint[]) AS new (org_id, last_us)
WHERE positions.org_id = new.org_id;

-- insert_keys: only the new ones come back
INSERT INTO message_keys (org_id, carrier_account_id, carrier_message_id, to_number, message_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[])
ON CONFLICT DO NOTHING RETURNING message_id;

-- insert_messages: the columns of `Group.messages`
INSERT INTO inbound_messages (org_id, id, phone_number_id, agent_id, from_number, to_number, body, channel, media,
    recipients, segment_count, opt_out_keyword, suspected, carrier_message_id, carrier_received_at, thread_id,
    related_outbound_id, opt_out, blocked, carrier_account_id, raw)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::int[], $12::text[], $13::bool[], $14::text[], $15::bigint[], $16::uuid[], $17::uuid[],
    $18::bool[], $19::bool[], $20::uuid[], $21::bytea[]);

-- insert_receipts: changes nothing for a replay
INSERT INTO delivery_receipts (org_id, carrier_account_id, carrier_message_id, recipient, event, error_code,
    description, carrier_time, received_at, raw)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
    $9::bigint[], $10::bytea[])
ON CONFLICT DO NOTHING;

-- insert_unrouted: changes nothing for a replay
INSERT INTO unrouted_deliveries (org_id, id, carrier_account_id, delivery_key, reason, to_number, received_at, raw)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bytea[])
ON CONFLICT DO NOTHING;
