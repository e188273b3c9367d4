-- What endpoints are still to be told. Whoever changes an organization's queue first changes its feed's row, so that nobody else
-- does meanwhile.

-- due_feeds: whose log has gone on, or whose queue has something to try now, and that nobody else works at. A lease that would
-- last longer than any does was written by a clock that is wrong
SELECT f.org_id, f.next_us, p.last_us >= f.next_us, CASE WHEN f.lease = $1 THEN f.leased_until ELSE 0 END
FROM webhook_feeds f JOIN positions p ON p.org_id = f.org_id
WHERE (f.lease = $1 OR f.leased_until <= $2 OR f.leased_until > $3)
    AND EXISTS (SELECT 1 FROM webhook_endpoints e WHERE e.org_id = f.org_id AND e.active
        AND (p.last_us >= f.next_us OR (e.not_before <= $2 AND EXISTS (SELECT 1 FROM webhook_queue q
            WHERE q.org_id = e.org_id AND q.endpoint_id = e.id AND q.kind = e.kind AND q.due_at <= $2))));

-- told: who has an endpoint, or had one
SELECT org_id FROM webhook_feeds;

-- take_feed: no row comes back when somebody else has it, or has gone on with it
UPDATE webhook_feeds SET lease = $2, leased_until = $4, next_us = $6
WHERE org_id = $1 AND next_us = $5 AND (lease = $2 OR leased_until <= $3 OR leased_until > $7) RETURNING org_id;

-- hold_feed: no row comes back when it is not ours any more
UPDATE webhook_feeds SET leased_until = $3 WHERE org_id = $1 AND lease = $2 RETURNING org_id;

-- lock_feed: whoever works at it
UPDATE webhook_feeds SET next_us = next_us WHERE org_id = $1;

-- give_back: to whoever comes next
UPDATE webhook_feeds SET leased_until = 0 WHERE org_id = $1 AND lease = $2;

-- active: all of organizations
SELECT e.org_id, e.id, e.kind, e.url, e.events, e.since, e.failures
FROM wanted w JOIN webhook_endpoints e ON e.org_id = w.org_id WHERE e.active;

-- queue: behind what is there of the same thread
INSERT INTO webhook_queue
    (org_id, endpoint_id, kind, event_id, source_id, event_type, thread, attempts, due_at, give_up_at)
SELECT w.org_id, w.endpoint_id, w.kind, w.event_id, w.source_id, w.event_type, w.thread, 0,
    CASE WHEN EXISTS (SELECT 1 FROM webhook_queue q WHERE q.org_id = w.org_id AND q.endpoint_id = w.endpoint_id
        AND q.kind = w.kind AND q.thread = w.thread) THEN NULL ELSE w.due_at END, w.give_up_at
FROM wanted w WHERE TRUE;

-- due_endpoints: those of organizations with anything to try now
SELECT e.org_id, e.id, e.kind, e.url, e.events, e.since, e.failures
FROM wanted w JOIN webhook_endpoints e ON e.org_id = w.org_id
WHERE e.active AND e.not_before <= w.now AND EXISTS (SELECT 1 FROM webhook_queue q
    WHERE q.org_id = e.org_id AND q.endpoint_id = e.id AND q.kind = e.kind AND q.due_at <= w.now);

-- due: of one endpoint, the oldest first
SELECT event_id, source_id, event_type, thread, attempts, give_up_at FROM webhook_queue
WHERE org_id = $1 AND endpoint_id = $2 AND kind = $3 AND due_at <= $4 ORDER BY event_id LIMIT $5;

-- past: what is not worth a try any more, as long as its endpoint takes nothing
SELECT event_id, source_id, event_type, thread, attempts, give_up_at FROM webhook_queue
WHERE org_id = $1 AND endpoint_id = $2 AND kind = $3 AND due_at <= $4 AND give_up_at <= $4
ORDER BY event_id LIMIT $5;

-- still_queued: what was not taken away meanwhile
SELECT q.event_id, q.endpoint_id, q.kind FROM wanted w JOIN webhook_queue q
    ON q.org_id = w.org_id AND q.endpoint_id = w.endpoint_id AND q.kind = w.kind AND q.event_id = w.event_id;

-- done: nobody has anything to do about them any more
DELETE FROM webhook_queue WHERE (org_id, endpoint_id, kind, event_id) IN
    (SELECT org_id, endpoint_id, kind, event_id FROM wanted);

-- put_off: to be tried again
UPDATE webhook_queue SET attempts = w.attempts, due_at = w.due_at FROM wanted w
WHERE webhook_queue.org_id = w.org_id AND webhook_queue.endpoint_id = w.endpoint_id AND webhook_queue.kind = w.kind
    AND webhook_queue.event_id = w.event_id;

-- move_up: the first of each thread, now that what was before it is done
UPDATE webhook_queue SET due_at = w.due_at FROM wanted w
WHERE webhook_queue.org_id = w.org_id AND webhook_queue.endpoint_id = w.endpoint_id AND webhook_queue.kind = w.kind
    AND webhook_queue.due_at IS NULL AND webhook_queue.event_id = (SELECT q.event_id FROM webhook_queue q
        WHERE q.org_id = w.org_id AND q.endpoint_id = w.endpoint_id AND q.kind = w.kind AND q.thread = w.thread
        ORDER BY q.event_id LIMIT 1);

-- standing: of an endpoint that was tried
SELECT failures, not_before FROM webhook_endpoints WHERE org_id = $1 AND id = $2 AND kind = $3;

-- note_tries: how an endpoint fares; one whose URL was changed meanwhile begins anew
UPDATE webhook_endpoints SET failures = $4, not_before = $5 WHERE org_id = $1 AND id = $2 AND kind = $3 AND url = $6;

-- switch_off: its receiver wants nothing any more
UPDATE webhook_endpoints SET active = FALSE, updated_at = $4 WHERE org_id = $1 AND id = $2 AND kind = $3;

-- empty: whatever it was still to be told of
DELETE FROM webhook_queue WHERE org_id = $1 AND endpoint_id = $2 AND kind = $3;

-- hurry: what waits to be tried again, now that its endpoint takes something
UPDATE webhook_queue SET due_at = $4 WHERE org_id = $1 AND endpoint_id = $2 AND kind = $3 AND due_at > $4;

-- depth: of all organizations, as far as it is counted
SELECT count(*) FROM (SELECT 1 FROM webhook_queue LIMIT $1) AS counted;
