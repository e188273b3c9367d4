-- Forgetting what was said to and by one contact, a batch at a time. Each batch ends with its last id, so that nothing is
-- looked at twice.

-- inbound_of_contact: what still has content
SELECT id FROM inbound_messages
WHERE org_id = $1 AND from_number = $2 AND id > $3 AND (body <> '' OR media IS NOT NULL OR length(raw) > 0)
ORDER BY id LIMIT $4;

-- erase_inbound: the row stays, and with it what it says about consent
UPDATE inbound_messages SET body = '', media = NULL, raw = $3 WHERE org_id = $1 AND id = $2;

-- erase_routed_deliveries: the events that an operator routed
UPDATE unrouted_deliveries SET raw = $3
WHERE org_id = $1 AND message_id IN (SELECT id FROM inbound_messages WHERE org_id = $1 AND from_number = $2);

-- erase_parts: of texts that came in parts; what still waits becomes no message any more
UPDATE message_parts SET body = '', raw = $3, made_at = COALESCE(made_at, received_at) WHERE org_id = $1 AND from_number = $2;

-- erase_answers: receivers of webhooks may have said again what they were told
UPDATE webhook_deliveries SET excerpt = NULL WHERE org_id = $1 AND contact = $2 AND excerpt IS NOT NULL;

-- outbound_of_contact: all, because a receipt may say again what was erased; and whether it still has content
SELECT id, carrier_account_id, carrier_message_id, body <> '' OR media IS NOT NULL FROM outbound_messages
WHERE org_id = $1 AND to_number = $2 AND id > $3 ORDER BY id LIMIT $4;

-- erase_outbound: the row stays
UPDATE outbound_messages SET body = '', media = NULL WHERE org_id = $1 AND id = $2;

-- erase_receipts: of one outbound message
UPDATE delivery_receipts SET raw = $4 WHERE org_id = $1 AND carrier_account_id = $2 AND carrier_message_id = $3;

-- cancel_messages_to_contact: what no worker holds and surely was not sent; without its words it must not leave
UPDATE outbound_messages SET status = 'failed', error_code = 'CANCELED', error_description = $3
WHERE org_id = $1 AND id IN (SELECT message_id FROM outbox
                             WHERE org_id = $1 AND to_number = $2 AND state IN ('queued', 'waiting', 'held'))
RETURNING id;

-- empty_outbox_to_contact: of what was just cancelled
DELETE FROM outbox WHERE org_id = $1 AND to_number = $2 AND state IN ('queued', 'waiting', 'held');

-- withdraw_leases_to_contact: what a worker holds, or was perhaps sent, may not leave any more
UPDATE outbox SET withdrawn = 'CANCELED'
WHERE org_id = $1 AND to_number = $2 AND state IN ('leased', 'uncertain') AND withdrawn IS NULL;

-- erase_memos: of the requests that a contact was a recipient of, among others perhaps
UPDATE agent_requests SET memo = NULL WHERE org_id = $1 AND memo IS NOT NULL AND recipients LIKE $2 ESCAPE '!';

-- unrouted_with_words: what still waits, a batch at a time
SELECT u.id, a.carrier, u.raw FROM unrouted_deliveries u
JOIN carrier_accounts a ON a.org_id = u.org_id AND a.id = u.carrier_account_id
WHERE u.org_id = $1 AND u.id > $2 AND u.routed_at IS NULL AND length(u.raw) > 0 ORDER BY u.id LIMIT $3;

-- erase_unrouted: it waits no longer, and is known again when it is delivered once more
UPDATE unrouted_deliveries SET raw = $3, reason = 'erased', routed_at = $4
WHERE org_id = $1 AND id = $2 AND routed_at IS NULL;
