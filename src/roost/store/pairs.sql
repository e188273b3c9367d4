-- What one of our numbers and one contact wrote to each other, whatever the pauses: how the inbox page shows threads.

-- walk: the newest messages before $2 ($3: what is kept), whichever way they went, each with the newest that the same two wrote
-- either way: where it is the newest itself, it stands for its thread. There is no table of threads, and nothing that is
-- written for one
SELECT w.id, w.theirs, w.ours,
    (SELECT i.id FROM inbound_messages i /* sqlite: INDEXED BY inbound_by_from */
        WHERE i.org_id = $1 AND i.from_number = w.theirs AND i.to_number = w.ours
        ORDER BY i.org_id DESC, i.from_number DESC, i.id DESC LIMIT 1),
    (SELECT o.id FROM outbound_messages o /* sqlite: INDEXED BY outbound_by_pair */
        WHERE o.org_id = $1 AND o.to_number = w.theirs AND o.from_number = w.ours
        ORDER BY o.org_id DESC, o.to_number DESC, o.from_number DESC, o.id DESC LIMIT 1)
FROM (
    SELECT * FROM (
        SELECT id, from_number AS theirs, to_number AS ours FROM inbound_messages
        WHERE org_id = $1 AND id < $2 AND id > $3 ORDER BY id DESC LIMIT $4
    ) AS received
    UNION ALL
    SELECT * FROM (
        SELECT id, to_number, from_number FROM outbound_messages
        WHERE org_id = $1 AND id < $2 AND id > $3 ORDER BY id DESC LIMIT $4
    ) AS sent
    ORDER BY id DESC LIMIT $4
) AS w ORDER BY w.id DESC;

-- heads: what a list shows of each thread that is wanted
SELECT w.theirs, w.ours, w.heard_id, w.said_id, i.body, i.channel, o.body, o.channel, o.status, c.state,
    CASE WHEN c.source <> 'inbound_message' THEN c.opted_in_at END,
    EXISTS (SELECT 1 FROM consents a WHERE a.org_id = w.org_id AND a.contact_number = w.theirs AND a.state = 'opted_out'),
    s.message_id, r.read_id
FROM wanted w
LEFT JOIN inbound_messages i ON i.org_id = w.org_id AND i.id = w.heard_id
LEFT JOIN outbound_messages o ON o.org_id = w.org_id AND o.id = w.said_id
LEFT JOIN consents c ON c.org_id = w.org_id AND c.contact_number = w.theirs AND c.number = w.ours
LEFT JOIN suspected_opt_outs s ON s.org_id = w.org_id AND s.contact_number = w.theirs AND s.number = w.ours
LEFT JOIN thread_reads r ON r.org_id = w.org_id AND r.contact_number = w.theirs AND r.number = w.ours;

-- messages: of one thread, newest first, with what the outbox says of those that have not left
SELECT id, direction, body, channel, media, segment_count, status, error_code, error_description, state, due_at, keyword,
    suspected
FROM (
    SELECT * FROM (
        SELECT i.id, 'inbound' AS direction, i.body, i.channel, i.media, i.segment_count, CAST(NULL AS TEXT) AS status,
            CAST(NULL AS TEXT) AS error_code, CAST(NULL AS TEXT) AS error_description, CAST(NULL AS TEXT) AS state,
            CAST(NULL AS BIGINT) AS due_at, i.opt_out_keyword AS keyword, i.suspected
        FROM inbound_messages i /* sqlite: INDEXED BY inbound_by_from */
        WHERE i.org_id = $1 AND i.from_number = $2 AND i.to_number = $3 AND i.id < $4 AND i.id > $5 ORDER BY i.id DESC LIMIT $6
    ) AS received
    UNION ALL
    SELECT * FROM (
        SELECT o.id, 'outbound', o.body, o.channel, o.media, o.segment_count, o.status, o.error_code, o.error_description,
            x.state, x.due_at, NULL, FALSE
        FROM outbound_messages o /* sqlite: INDEXED BY outbound_by_pair */
        LEFT JOIN outbox x ON x.org_id = o.org_id AND x.message_id = o.id
        WHERE o.org_id = $1 AND o.to_number = $2 AND o.from_number = $3 AND o.id < $4 AND o.id > $5 ORDER BY o.id DESC LIMIT $6
    ) AS sent
) AS both_ways ORDER BY id DESC LIMIT $6;

-- keep_read: how far a thread was read; never back
INSERT INTO thread_reads (org_id, contact_number, number, read_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (org_id, contact_number, number) DO UPDATE SET read_id = excluded.read_id
WHERE thread_reads.read_id < excluded.read_id;
