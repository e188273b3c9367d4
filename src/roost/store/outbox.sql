-- The outbox, as both databases run it. Whoever changes a row holds the organization's counter, so that nothing here needs a
-- lock of its own: two workers lease one after the other.

-- due_organizations: where somebody has something to do now. Each look is one step into an index: as EXISTS, PostgreSQL may
-- read a whole queue of one organization to answer for all
SELECT g.org_id FROM organizations g WHERE
    (SELECT TRUE FROM numbers n LEFT JOIN number_paces p ON p.org_id = n.org_id AND p.phone_number_id = n.id
        WHERE n.org_id = g.org_id AND (p.next_at IS NULL OR p.next_at <= $1)
            AND (SELECT TRUE FROM outbox o
                WHERE o.org_id = n.org_id AND o.state = 'queued' AND o.phone_number_id = n.id
                ORDER BY o.rank, o.message_id LIMIT 1) LIMIT 1)
    OR (SELECT TRUE FROM outbox o WHERE o.org_id = g.org_id AND o.state = 'waiting' AND o.due_at <= $1 LIMIT 1)
    OR (SELECT TRUE FROM outbox o WHERE o.org_id = g.org_id AND o.state = 'leased' AND o.due_at <= $1 LIMIT 1)
    OR (SELECT TRUE FROM outbox o WHERE o.org_id = g.org_id AND o.state = 'uncertain' AND o.due_at <= $1 LIMIT 1);

-- due: whether there is something to promote, to expire and to look up
SELECT EXISTS (SELECT 1 FROM outbox WHERE org_id = $1 AND state = 'waiting' AND due_at <= $2),
    EXISTS (SELECT 1 FROM outbox WHERE org_id = $1 AND state = 'leased' AND due_at <= $2),
    EXISTS (SELECT 1 FROM outbox WHERE org_id = $1 AND state = 'uncertain' AND due_at <= $2);

-- promote: what waited until now may be leased
UPDATE outbox SET state = 'queued' WHERE org_id = $1 AND message_id IN (
    SELECT message_id FROM outbox WHERE org_id = $1 AND state = 'waiting' AND due_at <= $2 ORDER BY due_at LIMIT $3);

-- expire_leases: whoever had it is gone or stuck, and it was perhaps sent. The lease stays: it says when, and its owner may
-- still come to tell
UPDATE outbox SET state = 'uncertain', due_at = $2 WHERE org_id = $1 AND message_id IN (
    SELECT message_id FROM outbox WHERE org_id = $1 AND state = 'leased' AND due_at <= $2 ORDER BY due_at LIMIT $3)
RETURNING message_id;

-- numbers_with_queued: how fast each may send, and when its next segment may leave
SELECT n.id, n.segments_per_second, p.next_at
FROM numbers n LEFT JOIN number_paces p ON p.org_id = n.org_id AND p.phone_number_id = n.id
WHERE n.org_id = $1 AND (
    SELECT TRUE FROM outbox o WHERE o.org_id = n.org_id AND o.state = 'queued' AND o.phone_number_id = n.id
    ORDER BY o.rank, o.message_id LIMIT 1)
LIMIT $2;

-- candidates: the first of a number, but for contacts with whom something is in flight or is to be tried again first. Only so
-- many are looked at: one contact's long queue does not cost everybody
SELECT q.rank, q.message_id, q.expires_at, q.segment_count, q.attempts, m.carrier_account_id, m.phone_number_id,
    m.from_number, m.to_number, m.body, m.media, m.priority
FROM (SELECT org_id, message_id, phone_number_id, to_number, rank, expires_at, segment_count, attempts FROM outbox
        WHERE org_id = $1 AND state = 'queued' AND phone_number_id = $2 ORDER BY rank, message_id LIMIT $3) q
JOIN outbound_messages m ON m.org_id = q.org_id AND m.id = q.message_id
WHERE NOT EXISTS (SELECT 1 FROM outbox b
    WHERE b.org_id = q.org_id AND b.to_number = q.to_number AND b.phone_number_id = q.phone_number_id
        AND (b.state = 'leased' OR (b.state = 'waiting' AND b.attempts > 0)))
ORDER BY q.rank, q.message_id LIMIT $4;

-- lease: until due_at it is ours alone
UPDATE outbox SET state = 'leased', lease = w.lease, due_at = w.due_at
FROM wanted w WHERE outbox.org_id = w.org_id AND outbox.message_id = w.message_id;

-- begin_sending: as it is told; what was tried before is sending already
UPDATE outbound_messages SET status = 'sending'
FROM wanted w WHERE outbound_messages.org_id = w.org_id AND id = w.message_id AND status = 'queued' RETURNING id;

-- keep_pace: a number's next segment leaves no sooner
INSERT INTO number_paces (org_id, phone_number_id, next_at) VALUES ($1, $2, $3)
ON CONFLICT (org_id, phone_number_id) DO UPDATE SET next_at = excluded.next_at
WHERE number_paces.next_at < excluded.next_at;

-- look_ups: what was perhaps sent, and is to be asked about now
SELECT o.message_id, o.lease, o.attempts, m.carrier_account_id, m.phone_number_id, m.from_number, m.to_number, m.body,
    m.media, m.priority
FROM outbox o JOIN outbound_messages m ON m.org_id = o.org_id AND m.id = o.message_id
WHERE o.org_id = $1 AND o.state = 'uncertain' AND o.due_at <= $2 ORDER BY o.due_at LIMIT $3;

-- put_off: until it is looked at again
UPDATE outbox SET due_at = $3 WHERE org_id = $1 AND message_id = $2;

-- last_look: all that a send is stopped by at the last moment; no row comes back when it is nobody's or another's by now
SELECT o.message_id, o.withdrawn, o.expires_at, o.due_at, m.purpose, g.settings,
    EXISTS (SELECT 1 FROM consents c WHERE c.org_id = o.org_id AND c.contact_number = m.to_number
        AND c.number = m.from_number AND c.state = 'opted_out'),
    EXISTS (SELECT 1 FROM consents c WHERE c.org_id = o.org_id AND c.contact_number = m.to_number
        AND c.state = 'opted_out')
FROM wanted w
JOIN outbox o ON o.org_id = w.org_id AND o.message_id = w.message_id
JOIN outbound_messages m ON m.org_id = o.org_id AND m.id = o.message_id
JOIN organizations g ON g.org_id = o.org_id
WHERE o.lease = w.lease AND o.state = 'leased';

-- standings: of messages and their outbox rows
SELECT o.message_id, o.state, o.lease, o.withdrawn, o.attempts, m.status, m.carrier_message_id, m.sent_at, m.delivered_at,
    m.error_code, m.error_description
FROM wanted w
JOIN outbox o ON o.org_id = w.org_id AND o.message_id = w.message_id
JOIN outbound_messages m ON m.org_id = o.org_id AND m.id = o.message_id;

-- keep_progress: how far messages have come
UPDATE outbound_messages SET status = w.status, carrier_message_id = w.carrier_message_id, sent_at = w.sent_at,
    delivered_at = w.delivered_at, error_code = w.error_code, error_description = w.error_description
FROM wanted w WHERE outbound_messages.org_id = w.org_id AND id = w.message_id;

-- settle: nobody has anything to do about them any more
DELETE FROM outbox WHERE (org_id, message_id) IN (SELECT org_id, message_id FROM wanted);

-- wait: it may be queued again at due_at
UPDATE outbox SET state = 'waiting', due_at = $3, attempts = $4, lease = NULL WHERE org_id = $1 AND message_id = $2;

-- doubt: it was perhaps sent; due_at is when the carrier is asked
UPDATE outbox SET state = 'uncertain', due_at = $3 WHERE org_id = $1 AND message_id = $2;

-- requeue: an operator has decided that it may be sent
UPDATE outbox SET state = 'queued', due_at = $3, attempts = 0, lease = NULL WHERE org_id = $1 AND message_id = $2;

-- others: which of these ids of carriers' other messages have, by whatever account
SELECT m.carrier_message_id FROM wanted w JOIN carrier_accounts a ON a.org_id = w.org_id
JOIN outbound_messages m ON m.org_id = a.org_id AND m.carrier_account_id = a.id AND m.carrier_message_id = w.carrier_message_id
WHERE m.id <> w.message_id;

-- others_in_doubt: messages to the same contact of which the carrier's id is not known either
SELECT message_id FROM outbox
WHERE org_id = $1 AND to_number = $2 AND phone_number_id = $3 AND state IN ('leased', 'uncertain') AND message_id <> $4 LIMIT 1;

-- outbox_rows: of one organization, oldest first
SELECT o.message_id, o.state, m.from_number, o.to_number, o.attempts, o.due_at, o.withdrawn, o.lease, m.status
FROM outbox o JOIN outbound_messages m ON m.org_id = o.org_id AND m.id = o.message_id
WHERE o.org_id = $1 ORDER BY o.message_id LIMIT $2;

-- outbox_rows_in: of one organization, in one state, oldest first
SELECT o.message_id, o.state, m.from_number, o.to_number, o.attempts, o.due_at, o.withdrawn, o.lease, m.status
FROM outbox o JOIN outbound_messages m ON m.org_id = o.org_id AND m.id = o.message_id
WHERE o.org_id = $1 AND o.state = $3 ORDER BY o.message_id LIMIT $2;

-- depth: by state, of all organizations, of the first so many rows
SELECT state, count(*) FROM (SELECT state FROM outbox LIMIT $1) AS counted GROUP BY state;

-- told_of: the messages that a receipt may be about: by the carrier's id, or by the id that we gave it to say back
SELECT id, phone_number_id, from_number, to_number, body = '' AND media IS NULL, status, carrier_message_id, sent_at,
    delivered_at, error_code, error_description
FROM outbound_messages WHERE org_id = $1 AND carrier_account_id = $2 AND carrier_message_id = $3
UNION ALL
SELECT id, phone_number_id, from_number, to_number, body = '' AND media IS NULL, status, carrier_message_id, sent_at,
    delivered_at, error_code, error_description
FROM outbound_messages WHERE org_id = $1 AND id = $4 AND carrier_account_id = $2 AND carrier_message_id IS NULL;

-- receipts_of: those that came before the message was known by the carrier's id, in the order in which they came
SELECT w.message_id, r.recipient, r.event, r.raw, r.error_code, r.description, r.carrier_time
FROM wanted w
JOIN delivery_receipts r ON r.org_id = w.org_id AND r.carrier_account_id = w.carrier_account_id
    AND r.carrier_message_id = w.carrier_message_id
ORDER BY r.received_at;

-- scope_of: how far an opt-out reaches
SELECT settings FROM organizations WHERE org_id = $1;
