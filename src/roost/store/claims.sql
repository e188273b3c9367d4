-- Claims. Whoever changes those of a queue holds the queue's row, so that two never wait for each other's messages.

-- next_fence: of a queue, which is locked from here on and made where there is none
INSERT INTO claim_queues (org_id, queue, fence, claimed_at) VALUES ($1, $2, 1, $3)
ON CONFLICT (org_id, queue) DO UPDATE SET fence = claim_queues.fence + 1, claimed_at = excluded.claimed_at
RETURNING fence;

-- lock_queue: no row comes back when nobody has claimed anything there
UPDATE claim_queues SET fence = fence WHERE org_id = $1 AND queue = $2 RETURNING fence;

-- place: how far claims with these filters have come
SELECT through_id FROM claim_places WHERE org_id = $1 AND queue = $2 AND filters = $3;

-- keep_place: it only goes forwards
INSERT INTO claim_places (org_id, queue, filters, through_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (org_id, queue, filters) DO UPDATE SET through_id = excluded.through_id
WHERE claim_places.through_id < excluded.through_id;

-- leased: how many messages of a queue are with somebody, or came back; no more than there may be are counted
SELECT count(*) FROM (
    SELECT 1 FROM claims /* sqlite: INDEXED BY claims_open */ WHERE org_id = $1 AND queue = $2 AND acked_at IS NULL LIMIT $3) AS c;

-- take: for the first time, or again
INSERT INTO claims (org_id, message_id, queue, fence, until)
SELECT claim_org, claim_id, claim_queue, claim_fence, claim_until FROM wanted WHERE TRUE
ON CONFLICT (org_id, message_id, queue) DO UPDATE SET fence = excluded.fence, until = excluded.until;

-- standing: of messages by their ids, with the agent that each is for
SELECT c.message_id, c.fence, c.until, c.acked_at, m.agent_id FROM wanted
JOIN claims c ON c.org_id = claim_org AND c.message_id = claim_id AND c.queue = claim_queue
JOIN inbound_messages m ON m.org_id = c.org_id AND m.id = c.message_id;

-- ack: done with
UPDATE claims SET acked_at = $5 WHERE org_id = $1 AND message_id = $2 AND queue = $3 AND fence = $4;

-- release: for whoever comes next
UPDATE claims SET until = 0 WHERE org_id = $1 AND message_id = $2 AND queue = $3 AND fence = $4;

-- still_held: of one claim, by its fence
SELECT message_id, until FROM claims /* sqlite: INDEXED BY claims_open */
WHERE org_id = $1 AND queue = $2 AND acked_at IS NULL AND fence = $3 AND until > 0 ORDER BY message_id;
