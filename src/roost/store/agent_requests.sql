-- Dialect B's requests to send, and what they are sent from.

-- numbers_towards: an agent's numbers, oldest first, each with its newest message to a contact and from it
SELECT n.number,
    (SELECT o.id FROM outbound_messages o /* sqlite: INDEXED BY outbound_by_pair */
        WHERE o.org_id = n.org_id AND o.to_number = $3 AND o.from_number = n.number
        ORDER BY o.org_id DESC, o.to_number DESC, o.from_number DESC, o.id DESC LIMIT 1),
    (SELECT i.id FROM inbound_messages i /* sqlite: INDEXED BY inbound_by_from */
        WHERE i.org_id = n.org_id AND i.from_number = $3 AND i.to_number = n.number
        ORDER BY i.org_id DESC, i.from_number DESC, i.id DESC LIMIT 1)
FROM numbers n WHERE n.org_id = $1 AND n.agent_id = $2 ORDER BY n.id;

-- request: one, by id
SELECT id, agent_id, recipients, memo, created_at, completed_at FROM agent_requests WHERE org_id = $1 AND id = $2;

-- request_of_quote: the one that a quote became
SELECT id, agent_id, recipients, memo, created_at, completed_at FROM agent_requests WHERE org_id = $1 AND quote_id = $2;

-- add_request: as it was accepted
INSERT INTO agent_requests (org_id, id, agent_id, tool, quote_id, recipients, memo, created_at)
VALUES ($1, $2, $3, 'sms', $4, $5, $6, $7);

-- messages_of_request: how far each has come
SELECT id, status, error_code, error_description, sent_at, delivered_at
FROM outbound_messages /* sqlite: INDEXED BY outbound_by_request */ WHERE org_id = $1 AND request_id = $2;

-- requests_of_messages: of those that are of one
SELECT m.org_id, m.request_id FROM wanted w JOIN outbound_messages m ON m.org_id = w.org_id AND m.id = w.message_id
WHERE m.request_id IS NOT NULL;

-- complete_request: once, when none of its messages is still to be handed over
UPDATE agent_requests SET completed_at = $3
WHERE org_id = $1 AND id = $2 AND completed_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM outbound_messages o /* sqlite: INDEXED BY outbound_by_request */
    WHERE o.org_id = $1 AND o.request_id = $2 AND o.status IN ('queued', 'sending')
) RETURNING id;
