-- Media of messages, and the objects that have their content. Whoever changes one holds the organization's counter, so that an
-- object is never doomed while somebody begins to refer to it.

-- expect: a medium of a new message, to be copied
INSERT INTO media (org_id, message_id, nth, state, due_at) VALUES ($1, $2, $3, 'waiting', $4);

-- attach: a medium of a new message that we have already
INSERT INTO media (org_id, message_id, nth, state, due_at, object_id) VALUES ($1, $2, $3, 'stored', $4, $5);

-- medium: as it is asked for
SELECT d.state, d.reason, o.id, o.sha256, o.content_type, o.byte_size
FROM media d LEFT JOIN media_objects o ON o.org_id = d.org_id AND o.id = d.object_id
WHERE d.org_id = $1 AND d.message_id = $2 AND d.nth = $3;

-- organizations_due: where something is to be fetched now
SELECT g.org_id FROM organizations g WHERE
    (SELECT TRUE FROM media d WHERE d.org_id = g.org_id AND d.state = 'waiting' AND d.due_at <= $1 LIMIT 1)
    OR (SELECT TRUE FROM media d WHERE d.org_id = g.org_id AND d.state = 'leased' AND d.due_at <= $1 LIMIT 1);

-- expire_leases: whoever had it is gone or stuck
UPDATE media SET state = 'waiting' WHERE org_id = $1 AND state = 'leased' AND due_at <= $2;

-- due: what is to be fetched now, with where it is
SELECT d.message_id, d.nth, d.attempts, i.carrier_account_id, i.media
FROM media d LEFT JOIN inbound_messages i ON i.org_id = d.org_id AND i.id = d.message_id
WHERE d.org_id = $1 AND d.state = 'waiting' AND d.due_at <= $2 ORDER BY d.due_at LIMIT $3;

-- lease: until due_at it is ours alone
UPDATE media SET state = 'leased', lease = $4, due_at = $5, attempts = attempts + 1
WHERE org_id = $1 AND message_id = $2 AND nth = $3;

-- leased: whether it still is
SELECT 1 FROM media WHERE org_id = $1 AND message_id = $2 AND nth = $3 AND lease = $4 AND state = 'leased';

-- settle_stored: its content is in an object
UPDATE media SET state = 'stored', object_id = $4, lease = NULL WHERE org_id = $1 AND message_id = $2 AND nth = $3;

-- settle_waiting: it is tried again at due_at
UPDATE media SET state = 'waiting', due_at = $4, reason = $5, lease = NULL WHERE org_id = $1 AND message_id = $2 AND nth = $3;

-- settle_failed: it cannot be had
UPDATE media SET state = 'failed', reason = $4, lease = NULL WHERE org_id = $1 AND message_id = $2 AND nth = $3;

-- forget: of one message
DELETE FROM media WHERE org_id = $1 AND message_id = $2 RETURNING object_id;

-- begin_object: one that is being made; unless it is kept it is removed at doomed_at
INSERT INTO media_objects (org_id, id, doomed_at) VALUES ($1, $2, $3);

-- object_with: the kept object that has this very content
SELECT id FROM media_objects WHERE org_id = $1 AND sha256 = $2 AND doomed_at IS NULL LIMIT 1;

-- keep_object: it is whole, and referred to
UPDATE media_objects SET doomed_at = NULL, sha256 = $3, content_type = $4, byte_size = $5 WHERE org_id = $1 AND id = $2;

-- doom_made: what was being made is not wanted
UPDATE media_objects SET doomed_at = $3 WHERE org_id = $1 AND id = $2 AND doomed_at IS NOT NULL;

-- doom_unused: if nobody refers to it any more
UPDATE media_objects SET doomed_at = $3 WHERE org_id = $1 AND id = $2 AND doomed_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM media d WHERE d.org_id = $1 AND d.object_id = $2)
    AND NOT EXISTS (SELECT 1 FROM media_uploads u WHERE u.org_id = $1 AND u.object_id = $2);

-- organizations_to_sweep: where a message's media have run out, an upload has, or an object is doomed
SELECT g.org_id FROM organizations g WHERE
    (SELECT TRUE FROM media d WHERE d.org_id = g.org_id AND d.message_id < $1 LIMIT 1)
    OR (SELECT TRUE FROM media_uploads u WHERE u.org_id = g.org_id AND u.expires_at <= $2 LIMIT 1)
    OR (SELECT TRUE FROM media_objects o WHERE o.org_id = g.org_id AND o.doomed_at <= $2 LIMIT 1);

-- run_out: messages whose media nobody may ask for any more; an outbound message's may still be asked for by its carrier
SELECT d.message_id FROM media d
WHERE d.org_id = $1 AND d.message_id < $2
    AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.org_id = d.org_id AND b.message_id = d.message_id)
    AND NOT EXISTS (SELECT 1 FROM outbound_messages m
        WHERE m.org_id = d.org_id AND m.id = d.message_id AND m.sent_at > $3)
ORDER BY d.message_id LIMIT $4;

-- doomed: what is to be removed from the folder or bucket
SELECT id FROM media_objects WHERE org_id = $1 AND doomed_at <= $2 ORDER BY doomed_at LIMIT $3;

-- forget_object: it has been removed there
DELETE FROM media_objects WHERE org_id = $1 AND id = $2 AND doomed_at IS NOT NULL;

-- begin_upload: a medium that may be uploaded until expires_at
INSERT INTO media_uploads (org_id, id, mime_type, byte_size, expires_at) VALUES ($1, $2, $3, $4, $5);

-- upload: one, if it has not run out
SELECT mime_type, byte_size, object_id FROM media_uploads WHERE org_id = $1 AND id = $2 AND expires_at > $3;

-- finish_upload: no row comes back when it was uploaded before
UPDATE media_uploads SET object_id = $3, expires_at = $4 WHERE org_id = $1 AND id = $2 AND object_id IS NULL RETURNING id;

-- uploads_run_out: which nobody may use any more
SELECT id FROM media_uploads WHERE org_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3;

-- forget_upload: with the object that it had
DELETE FROM media_uploads WHERE org_id = $1 AND id = $2 RETURNING object_id;
