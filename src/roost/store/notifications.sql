-- What agents are told.

-- add_notification: unread
INSERT INTO notifications (org_id, id, agent_id, type, title, body, metadata, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- notifications: an agent's, newest first
SELECT id, agent_id, type, title, body, metadata, created_at, read_at FROM notifications
WHERE org_id = $1 AND agent_id = $2 ORDER BY id DESC LIMIT $3;

-- unread_notifications: those that it has not read
SELECT id, agent_id, type, title, body, metadata, created_at, read_at FROM notifications
WHERE org_id = $1 AND agent_id = $2 AND read_at IS NULL ORDER BY id DESC LIMIT $3;

-- read_notification: the first reading's time stands
UPDATE notifications SET read_at = coalesce(read_at, $4) WHERE org_id = $1 AND agent_id = $2 AND id = $3 RETURNING id;

-- read_notifications: all of an agent's
UPDATE notifications SET read_at = $3 WHERE org_id = $1 AND agent_id = $2 AND read_at IS NULL;
