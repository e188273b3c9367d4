-- Leases. Each is written with the clock of its holder, which may be wrong: one that would last longer than any does is over.

-- take_lease: no row comes back while another one has it
INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE leases.holder = excluded.holder OR leases.until <= $4 OR leases.until > $5
RETURNING holder;

-- end_lease: if it is still the holder's
UPDATE leases SET until = $3 WHERE name = $1 AND holder = $2;

-- lease_until: whoever has it or had it
SELECT until FROM leases WHERE name = $1;
