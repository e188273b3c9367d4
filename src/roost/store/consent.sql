-- The standing consent and its ledger, as both databases run it.

-- consent: of one contact and one of our numbers
SELECT id, org_id, phone_number_id, contact_number, number, state, opted_in_at, opted_out_at, opted_out_carrier_at,
    source, consent_method, challenge_id, challenge_message_id, challenge_agreement, challenge_expires_at, created_at,
    updated_at
FROM consents WHERE org_id = $1 AND contact_number = $2 AND number = $3;

-- consent_by_id: one of the organization's
SELECT id, org_id, phone_number_id, contact_number, number, state, opted_in_at, opted_out_at, opted_out_carrier_at,
    source, consent_method, challenge_id, challenge_message_id, challenge_agreement, challenge_expires_at, created_at,
    updated_at
FROM consents WHERE org_id = $1 AND id = $2;

-- opted_out: from whichever numbers the contact opted out
SELECT id, org_id, phone_number_id, contact_number, number, state, opted_in_at, opted_out_at, opted_out_carrier_at,
    source, consent_method, challenge_id, challenge_message_id, challenge_agreement, challenge_expires_at, created_at,
    updated_at
FROM consents WHERE org_id = $1 AND contact_number = $2 AND state = 'opted_out' ORDER BY number;

-- keep_consent: as it stands now
INSERT INTO consents (id, org_id, phone_number_id, contact_number, number, state, opted_in_at, opted_out_at,
    opted_out_carrier_at, source, consent_method, challenge_id, challenge_message_id, challenge_agreement,
    challenge_expires_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (org_id, contact_number, number) DO UPDATE SET phone_number_id = excluded.phone_number_id,
    state = excluded.state, opted_in_at = excluded.opted_in_at, opted_out_at = excluded.opted_out_at,
    opted_out_carrier_at = excluded.opted_out_carrier_at, source = excluded.source,
    consent_method = excluded.consent_method, challenge_id = excluded.challenge_id,
    challenge_message_id = excluded.challenge_message_id, challenge_agreement = excluded.challenge_agreement,
    challenge_expires_at = excluded.challenge_expires_at, updated_at = excluded.updated_at;

-- add_event: to the ledger, which only grows
INSERT INTO consent_events (org_id, id, consent_id, event, source, keyword, message_id, consent_method, evidence,
    agreement_text_hash, carrier_at, occurred_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- events: of one consent, newest first
SELECT id, event, source, keyword, message_id, consent_method, evidence, agreement_text_hash, carrier_at, occurred_at
FROM consent_events WHERE org_id = $1 AND consent_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4;

-- pending_sends: to one contact, what has not surely left yet
SELECT o.message_id, o.state, m.from_number, m.purpose
FROM outbox o JOIN outbound_messages m ON m.org_id = o.org_id AND m.id = o.message_id
WHERE o.org_id = $1 AND o.to_number = $2;

-- drop_send: it never leaves
DELETE FROM outbox WHERE org_id = $1 AND message_id = $2;

-- fail_send: and is told so
UPDATE outbound_messages SET status = 'failed', error_code = 'CONSENT_REQUIRED', error_description = 'the contact opted out'
WHERE org_id = $1 AND id = $2;

-- withdraw_send: a worker is at it, and finds out before it sends or after
UPDATE outbox SET withdrawn = 'CONSENT_REQUIRED' WHERE org_id = $1 AND message_id = $2;

-- own_number: by its id, if it is the organization's
SELECT number FROM numbers WHERE org_id = $1 AND id = $2;

-- remember_suspected: the newest text of a contact that was perhaps an opt-out, which outlives the text
INSERT INTO suspected_opt_outs (org_id, contact_number, number, message_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (org_id, contact_number, number) DO UPDATE SET message_id = excluded.message_id;
