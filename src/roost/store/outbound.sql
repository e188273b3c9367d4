-- Outbound messages: what a send is decided by, and what it becomes.

-- before_send: of each of ours and theirs: who holds the number, what the contact has said, and the thread. The suspected
-- request counts until somebody records a newer opt-in.
SELECT w.nth, n.id, n.carrier_account_id, n.agent_id, c.state,
    CASE WHEN c.source <> 'inbound_message' THEN c.opted_in_at END,
    EXISTS (SELECT 1 FROM consents a WHERE a.org_id = w.org_id AND a.contact_number = w.theirs AND a.state = 'opted_out'),
    (SELECT i.id FROM inbound_messages i /* sqlite: INDEXED BY inbound_by_from */
        WHERE i.org_id = w.org_id AND i.from_number = w.theirs AND i.to_number = w.ours AND NOT i.opt_out AND NOT i.suspected
        ORDER BY i.org_id DESC, i.from_number DESC, i.id DESC LIMIT 1),
    s.message_id, o.id, o.thread_id,
    (SELECT i.id FROM inbound_messages i /* sqlite: INDEXED BY inbound_by_thread */
        WHERE i.org_id = w.org_id AND i.thread_id = o.thread_id
        ORDER BY i.org_id DESC, i.thread_id DESC, i.id DESC LIMIT 1)
FROM wanted w
LEFT JOIN numbers n ON n.number = w.ours AND n.org_id = w.org_id
LEFT JOIN consents c ON c.org_id = w.org_id AND c.contact_number = w.theirs AND c.number = w.ours
LEFT JOIN suspected_opt_outs s ON s.org_id = w.org_id AND s.contact_number = w.theirs AND s.number = w.ours
LEFT JOIN outbound_messages o ON o.org_id = w.org_id AND o.id = (
    SELECT p.id FROM outbound_messages p /* sqlite: INDEXED BY outbound_by_pair */
    WHERE p.org_id = w.org_id AND p.to_number = w.theirs AND p.from_number = w.ours
    ORDER BY p.org_id DESC, p.to_number DESC, p.from_number DESC, p.id DESC LIMIT 1);

-- insert_outbound: a message as it was accepted
INSERT INTO outbound_messages (org_id, id, phone_number_id, carrier_account_id, agent_id, request_id, from_number,
    to_number, body, channel, media, priority, tag, purpose, status, error_code, error_description, segment_count, thread_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- insert_outbox: what a worker has to do about it
INSERT INTO outbox (org_id, message_id, phone_number_id, to_number, state, rank, due_at, expires_at, segment_count)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- withdraw_queued: an outbox row goes if nobody is at it yet
DELETE FROM outbox WHERE org_id = $1 AND message_id = $2 AND state IN ('queued', 'waiting', 'held') RETURNING message_id;

-- cancel_outbound: it never left, and never will
UPDATE outbound_messages SET status = 'failed', error_code = $3, error_description = $4
WHERE org_id = $1 AND id = $2 AND status IN ('queued', 'sending') RETURNING id;

-- threads: with their last messages either way; which ones is for the caller to say, by one outbound message of each
SELECT t.thread_id, t.phone_number_id, t.agent_id, t.from_number, t.to_number,
    (SELECT o.id FROM outbound_messages o /* sqlite: INDEXED BY outbound_by_thread */
        WHERE o.org_id = t.org_id AND o.thread_id = t.thread_id ORDER BY o.org_id DESC, o.thread_id DESC, o.id DESC LIMIT 1),
    (SELECT i.id FROM inbound_messages i /* sqlite: INDEXED BY inbound_by_thread */
        WHERE i.org_id = t.org_id AND i.thread_id = t.thread_id ORDER BY i.org_id DESC, i.thread_id DESC, i.id DESC LIMIT 1)
FROM outbound_messages t;

-- begun: threads that began before $2, newest first, in single steps into the index: one for each, whatever it has. Most of
-- them are over and wait to be swept, so that there is an end to the steps
WITH RECURSIVE begun (thread_id, nth) AS (
    SELECT (SELECT o.thread_id FROM outbound_messages o /* sqlite: INDEXED BY outbound_by_thread */
        WHERE o.org_id = $1 AND o.thread_id < $2 ORDER BY o.org_id DESC, o.thread_id DESC LIMIT 1), 1
    UNION ALL
    SELECT (SELECT o.thread_id FROM outbound_messages o /* sqlite: INDEXED BY outbound_by_thread */
        WHERE o.org_id = $1 AND o.thread_id < b.thread_id ORDER BY o.org_id DESC, o.thread_id DESC LIMIT 1), b.nth + 1
    FROM begun b WHERE b.thread_id IS NOT NULL AND b.nth < 1000
);

-- oldest_kept: of a thread that began before what is kept
SELECT o.id FROM outbound_messages o /* sqlite: INDEXED BY outbound_by_thread */
WHERE o.org_id = $1 AND o.thread_id = {} AND o.id > $4 ORDER BY o.org_id, o.thread_id, o.id LIMIT 1;

-- thread_messages: both directions, oldest first
SELECT id, direction, from_number, to_number, body, channel, media, status, related_outbound_id FROM (
    SELECT * FROM (
        SELECT id, 'outbound' AS direction, from_number, to_number, body, channel, media, status,
            CAST(NULL AS UUID) AS related_outbound_id
        FROM outbound_messages /* sqlite: INDEXED BY outbound_by_thread */
        WHERE org_id = $1 AND thread_id = $2 AND id > $3 ORDER BY id LIMIT $4
    ) AS sent
    UNION ALL
    SELECT * FROM (
        SELECT id, 'inbound', from_number, to_number, body, channel, media, NULL, related_outbound_id
        FROM inbound_messages /* sqlite: INDEXED BY inbound_by_thread */
        WHERE org_id = $1 AND thread_id = $2 AND id > $3 ORDER BY id LIMIT $4
    ) AS received
) AS both_ways ORDER BY id LIMIT $4;
