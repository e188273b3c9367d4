-- carrier_account_of: under the organization's lock
SELECT secrets FROM carrier_accounts WHERE org_id = $1 AND id = $2;

-- change_secrets: encrypted
UPDATE carrier_accounts SET secrets = $3 WHERE org_id = $1 AND id = $2;

-- numbers_of_account: each with the newest message that came to it
SELECT n.number, (SELECT m.id FROM inbound_messages m WHERE m.org_id = n.org_id AND m.phone_number_id = n.id
                  ORDER BY m.id DESC LIMIT 1)
FROM numbers n WHERE n.org_id = $1 AND n.carrier_account_id = $2 ORDER BY n.id LIMIT $3;

-- waiting_of_account: unrouted deliveries, up to a limit
SELECT id FROM unrouted_deliveries WHERE org_id = $1 AND carrier_account_id = $2 AND routed_at IS NULL LIMIT $3;

-- numbers_of_carrier: of one organization, first registered first, each with its account
SELECT n.number, n.carrier_account_id FROM numbers n
JOIN carrier_accounts a ON a.org_id = n.org_id AND a.id = n.carrier_account_id
WHERE n.org_id = $1 AND a.carrier = $2 ORDER BY n.id LIMIT $3;

-- accounts: of one organization, first made first
SELECT id, carrier, label, created_at FROM carrier_accounts WHERE org_id = $1 ORDER BY id LIMIT $2;
