-- What a send would meet.

-- ahead: how many texts of a number wait to leave, counted up to a bound
SELECT count(*) FROM (
    SELECT 1 FROM outbox WHERE org_id = $1 AND state = 'queued' AND phone_number_id = $2 LIMIT $3
) AS queued;
