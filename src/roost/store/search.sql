-- Search and usage: gone through after the messages, in their one order.

-- behind: organizations in which something was written since they were last gone through
SELECT p.org_id FROM positions p LEFT JOIN search_feeds f ON f.org_id = p.org_id
WHERE p.last_us > 0 AND p.last_us >= COALESCE(f.next_us, 0);

-- begin_feed: an organization's, at the beginning
INSERT INTO search_feeds (org_id, next_us) VALUES ($1, 0) ON CONFLICT DO NOTHING;

-- lock_feed: how far it has been gone through. Until the end of the transaction nobody else goes through it, or erases of it;
-- whoever stores messages does not wait
UPDATE search_feeds SET next_us = next_us WHERE org_id = $1 RETURNING next_us;

-- there_is: how far there is to go: whatever has a position up to there is committed
SELECT last_us FROM positions WHERE org_id = $1;

-- written: the oldest messages between two ids, either way
SELECT id, direction, theirs, ours, body, segment_count FROM (
    SELECT * FROM (
        SELECT id, 'inbound' AS direction, from_number AS theirs, to_number AS ours, body, segment_count FROM inbound_messages
        WHERE org_id = $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4
    ) AS received
    UNION ALL
    SELECT * FROM (
        SELECT id, 'outbound', to_number, from_number, body, segment_count FROM outbound_messages
        WHERE org_id = $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4
    ) AS sent
) AS both_ways ORDER BY id LIMIT $4;

-- go_on_at: from here on the next time
UPDATE search_feeds SET next_us = $2 WHERE org_id = $1;

-- count_day: what came and went at a number
INSERT INTO usage_days (org_id, day, number, inbound, inbound_segments, outbound, outbound_segments)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (org_id, day, number) DO UPDATE SET inbound = usage_days.inbound + excluded.inbound,
    inbound_segments = usage_days.inbound_segments + excluded.inbound_segments,
    outbound = usage_days.outbound + excluded.outbound,
    outbound_segments = usage_days.outbound_segments + excluded.outbound_segments;

-- days: from a day on
SELECT day, number, inbound, inbound_segments, outbound, outbound_segments FROM usage_days
WHERE org_id = $1 AND day >= $2 ORDER BY day, number;

-- keep_words_postgres: the words of each message, separated by spaces
INSERT INTO message_words (org_id, message_id, words)
SELECT w.org_id, w.message_id, array_to_tsvector(string_to_array(w.words, ' ')) FROM wanted w ON CONFLICT DO NOTHING;

-- find_postgres: the newest messages before an id with all of the words, each of which may go on
SELECT message_id FROM message_words
WHERE org_id = $1 AND words @@ CAST(CAST($2 AS TEXT) AS tsquery) AND message_id < $3 AND message_id > $4 ORDER BY message_id DESC LIMIT $5;

-- keep_message_sqlite: which document it is
INSERT INTO message_words (org_id, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- keep_words_sqlite: its words, under its organization's own word
INSERT INTO documents (rowid, org, words) SELECT doc, $3, $4 FROM message_words m
WHERE m.org_id = $1 AND m.message_id = $2 AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.rowid = m.doc);

-- find_sqlite: the same; what was written later is later in the index
SELECT m.message_id FROM documents d JOIN message_words m ON m.doc = d.rowid
WHERE d.documents MATCH $2 AND m.org_id = $1 AND m.message_id > $4
    AND d.rowid < COALESCE((SELECT o.doc FROM message_words o WHERE o.org_id = $1 AND o.message_id = $3), 9223372036854775807)
ORDER BY d.rowid DESC LIMIT $5;

-- found: of each that was found, what is shown
SELECT w.id, i.from_number, i.to_number, i.body, o.to_number, o.from_number, o.body FROM wanted w
LEFT JOIN inbound_messages i ON i.org_id = w.org_id AND i.id = w.id
LEFT JOIN outbound_messages o ON o.org_id = w.org_id AND o.id = w.id;

-- forget_words: of a message that was erased
DELETE FROM message_words WHERE org_id = $1 AND message_id = $2;
