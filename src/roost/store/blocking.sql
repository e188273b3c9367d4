-- Senders whose texts are stored and marked, and never pushed.

-- block: nothing comes back when the sender is blocked there already
INSERT INTO blocked_senders (org_id, sender, number, id, reason, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING id;

-- blocked: one sender on one number, or on all of them where the number is empty
SELECT b.id, b.org_id, b.sender, b.number, n.id, b.reason, b.created_at
FROM blocked_senders b LEFT JOIN numbers n ON n.number = b.number AND n.org_id = b.org_id
WHERE b.org_id = $1 AND b.sender = $2 AND b.number = $3;

-- block_list: newest first
SELECT b.id, b.org_id, b.sender, b.number, n.id, b.reason, b.created_at
FROM blocked_senders b LEFT JOIN numbers n ON n.number = b.number AND n.org_id = b.org_id
WHERE b.org_id = $1 AND b.id < $2 ORDER BY b.id DESC LIMIT $3;

-- unblock: by id
DELETE FROM blocked_senders WHERE org_id = $1 AND id = $2 RETURNING sender;
