-- The event log: rows that are written with what they tell, and read together with the messages.

-- add_events: at positions of their organizations
INSERT INTO events (org_id, id, type, subject_id, data) SELECT org_id, id, type, subject_id, data FROM wanted WHERE TRUE;

-- has_endpoint: whether anybody is told of more than messages
SELECT 1 FROM webhook_endpoints WHERE org_id = $1 AND kind = 'organization' AND active LIMIT 1;

-- events_after: the oldest after an id, and how far the counter has come. That is one look at the database: whatever has a
-- position up to there is committed, and what has a later one is none of these
SELECT p.last_us, e.id, e.type, e.data, m.id, m.org_id, m.phone_number_id, m.carrier_account_id, m.agent_id, m.request_id,
    m.from_number, m.to_number, m.body, m.channel, m.media, m.priority, m.tag, m.purpose, m.status, m.error_code,
    m.error_description, m.segment_count, m.carrier_message_id, m.sent_at, m.delivered_at, m.thread_id
FROM positions p
LEFT JOIN (SELECT org_id, id, type, subject_id, data FROM events
    WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3) e ON e.org_id = p.org_id
LEFT JOIN outbound_messages m ON m.org_id = e.org_id AND m.id = e.subject_id
WHERE p.org_id = $1 ORDER BY e.id;

-- last_positions: how far the counters of several organizations have come
SELECT w.org_id, p.last_us FROM wanted w JOIN positions p ON p.org_id = w.org_id;

-- received: messages by their ids
SELECT m.id, m.org_id, m.phone_number_id, m.agent_id, m.from_number, m.to_number, m.body, m.channel, m.media, m.recipients,
    m.segment_count, m.opt_out_keyword, m.suspected, m.carrier_message_id, m.carrier_received_at, m.thread_id,
    m.related_outbound_id, m.blocked
FROM wanted w JOIN inbound_messages m ON m.org_id = w.org_id AND m.id = w.id;

-- events: by their ids, in the shape of events_after
SELECT 0, e.id, e.type, e.data, m.id, m.org_id, m.phone_number_id, m.carrier_account_id, m.agent_id, m.request_id,
    m.from_number, m.to_number, m.body, m.channel, m.media, m.priority, m.tag, m.purpose, m.status, m.error_code,
    m.error_description, m.segment_count, m.carrier_message_id, m.sent_at, m.delivered_at, m.thread_id
FROM wanted w JOIN events e ON e.org_id = w.org_id AND e.id = w.id
LEFT JOIN outbound_messages m ON m.org_id = e.org_id AND m.id = e.subject_id;
