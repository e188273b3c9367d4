-- accounts: of all organizations, oldest first; few, and what none of them has in common
SELECT org_id, id, carrier, label, created_at FROM carrier_accounts ORDER BY created_at, id;

-- accounts_of: of one organization, oldest first
SELECT org_id, id, carrier, label, created_at FROM carrier_accounts WHERE org_id = $1 ORDER BY created_at, id;

-- lease: no row where somebody else is at it
INSERT INTO backfills (org_id, carrier_account_id, complete_until, leased_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (org_id, carrier_account_id) DO UPDATE SET leased_until = $4 WHERE backfills.leased_until < $5
RETURNING complete_until;

-- renew: while pages come
UPDATE backfills SET leased_until = $3 WHERE org_id = $1 AND carrier_account_id = $2;

-- complete: all until then has been read
UPDATE backfills SET complete_until = $3, leased_until = 0
WHERE org_id = $1 AND carrier_account_id = $2 AND complete_until < $3;

-- give_back: it was not finished
UPDATE backfills SET leased_until = 0 WHERE org_id = $1 AND carrier_account_id = $2;
