-- The group commit on PostgreSQL: one statement per table per group.

-- lock_and_look_up: `counters` and `holders` at once, where one transaction may touch several organizations
WITH counters AS (
    SELECT org_id, last_us FROM positions WHERE org_id = ANY($1::uuid[]) ORDER BY org_id FOR UPDATE
)
SELECT c.org_id, c.last_us, n.carrier_account_id, n.number, n.id, n.agent_id
FROM counters c LEFT JOIN numbers n ON n.number = ANY($2::text[]) AND n.org_id = c.org_id;

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

-- insert_messages: the columns of `Group.messages`; each with the newest outbound message that it can answer (what surely
-- never left is none), and with whether its sender is on a block list
INSERT INTO inbound_messages (org_id, id, phone_number_id, agent_id, from_number, to_number, body, channel, media,
    recipients, segment_count, opt_out_keyword, suspected, carrier_message_id, carrier_received_at, opt_out,
    carrier_account_id, raw, thread_id, related_outbound_id, blocked)
SELECT m.org_id, m.id, m.phone_number_id, m.agent_id, m.from_number, m.to_number, m.body, m.channel, m.media, m.recipients,
    m.segment_count, m.opt_out_keyword, m.suspected, m.carrier_message_id, m.carrier_received_at, m.opt_out,
    m.carrier_account_id, m.raw, o.thread_id, o.id,
    EXISTS (SELECT 1 FROM blocked_senders b
        WHERE b.org_id = m.org_id AND b.sender = m.from_number AND b.number IN (m.to_number, ''))
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::int[], $12::text[], $13::bool[], $14::text[], $15::bigint[], $16::bool[], $17::uuid[],
    $18::bytea[], $19::uuid[])
    AS m (org_id, id, phone_number_id, agent_id, from_number, to_number, body, channel, media, recipients, segment_count,
        opt_out_keyword, suspected, carrier_message_id, carrier_received_at, opt_out, carrier_account_id, raw, since_id)
LEFT JOIN LATERAL (
    SELECT p.id, p.thread_id FROM outbound_messages p
    WHERE p.org_id = m.org_id AND p.to_number = m.from_number AND p.from_number = m.to_number AND p.id > m.since_id
        AND NOT (p.status = 'failed' AND p.carrier_message_id IS NULL)
    ORDER BY p.org_id DESC, p.to_number DESC, p.from_number DESC, p.id DESC LIMIT 1) o ON TRUE;

-- insert_group: `insert_keys`, `advance` and `insert_messages` at once, where one transaction may touch several organizations:
-- each exchange costs as much as its work. The new ones come back
WITH advanced AS (
    UPDATE positions SET last_us = new.last_us FROM unnest($20::text::uuid[], $21::text::bigint[]) AS new (org_id, last_us)
    WHERE positions.org_id = new.org_id
), m AS MATERIALIZED (
    SELECT * FROM unnest($1::text::uuid[], $2::text::uuid[], $3::text::uuid[], $4::text::uuid[], $5::text::text[],
        $6::text::text[], $7::text::text[], $8::text::text[], $9::text::text[], $10::text::text[], $11::text::int[],
        $12::text::text[], $13::text::bool[], $14::text::text[], $15::text::bigint[], $16::text::bool[], $17::text::uuid[],
        $18::bytea[], $19::text::uuid[])
        AS m (org_id, id, phone_number_id, agent_id, from_number, to_number, body, channel, media, recipients,
            segment_count, opt_out_keyword, suspected, carrier_message_id, carrier_received_at, opt_out,
            carrier_account_id, raw, since_id)
), keys AS (
    INSERT INTO message_keys (org_id, carrier_account_id, carrier_message_id, to_number, message_id)
    SELECT org_id, carrier_account_id, carrier_message_id, to_number, id FROM m
    ON CONFLICT DO NOTHING RETURNING message_id
), stored AS (
    INSERT INTO inbound_messages (org_id, id, phone_number_id, agent_id, from_number, to_number, body, channel, media,
        recipients, segment_count, opt_out_keyword, suspected, carrier_message_id, carrier_received_at, opt_out,
        carrier_account_id, raw, thread_id, related_outbound_id, blocked)
    SELECT m.org_id, m.id, m.phone_number_id, m.agent_id, m.from_number, m.to_number, m.body, m.channel, m.media,
        m.recipients, m.segment_count, m.opt_out_keyword, m.suspected, m.carrier_message_id, m.carrier_received_at,
        m.opt_out, m.carrier_account_id, m.raw, o.thread_id, o.id,
        EXISTS (SELECT 1 FROM blocked_senders b
            WHERE b.org_id = m.org_id AND b.sender = m.from_number AND b.number IN (m.to_number, ''))
    FROM keys JOIN m ON m.id = keys.message_id
    LEFT JOIN LATERAL (
        SELECT p.id, p.thread_id FROM outbound_messages p
        WHERE p.org_id = m.org_id AND p.to_number = m.from_number AND p.from_number = m.to_number AND p.id > m.since_id
            AND NOT (p.status = 'failed' AND p.carrier_message_id IS NULL)
        ORDER BY p.org_id DESC, p.to_number DESC, p.from_number DESC, p.id DESC LIMIT 1) o ON TRUE
)
SELECT message_id FROM keys;

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

-- listeners: whether another process of this database waits to be told what moved
SELECT EXISTS (SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND starts_with(application_name, $1) AND application_name <> $2);

-- give_notice: to whoever listens. It is no loss if the server forgets it, and so nobody waits for the disk
SELECT pg_notify('roost_moved', each), set_config('synchronous_commit', 'off', true) FROM unnest($1::text[]) AS each;
