-- What must never be found. Each question returns the places of what is wrong; its header says how
-- a place is named, and what is wrong there. NEXT_DAY is the day after a line's last, in the words
-- of each database.

--? journal {0}, entry {1} | debits and credits are not equal
SELECT organisation_id, number FROM ledger_posting
GROUP BY organisation_id, number, commodity HAVING SUM(units) <> 0;

--? journal {0}, entry {1} | it has less than two lines
SELECT one.organisation_id, one.number FROM ledger_transaction AS one
WHERE (SELECT COUNT(*) FROM ledger_posting AS line
       WHERE line.organisation_id = one.organisation_id AND line.number = one.number) < 2;

--? journal {0}, entry {1} | postings without their transaction
SELECT DISTINCT line.organisation_id, line.number FROM ledger_posting AS line
WHERE NOT EXISTS (SELECT 1 FROM ledger_transaction AS one
                  WHERE line.organisation_id = one.organisation_id AND line.number = one.number);

--? journal {0}, entry {1} | the numbers up to this one have a gap
SELECT organisation_id, MAX(number) FROM ledger_transaction GROUP BY organisation_id
HAVING MAX(number) <> COUNT(*) OR MIN(number) <> 1;

--? organisation {0}, {1}-{2:06d} | it is not the sum of its lines
SELECT one.organisation_id, one.series, one.number FROM invoice AS one
LEFT JOIN invoice_line AS line ON line.organisation_id = one.organisation_id
 AND line.series = one.series AND line.number = one.number
GROUP BY one.organisation_id, one.series, one.number, one.net, one.vat, one.gross
HAVING COALESCE(SUM(line.net), 0) <> one.net OR COALESCE(SUM(line.vat), 0) <> one.vat
    OR one.net + one.vat <> one.gross;

--? organisation {0}, {1}-{2:06d} | the shares of a line do not add up to it
SELECT line.organisation_id, line.series, line.number FROM invoice_line AS line
LEFT JOIN line_share AS share ON share.organisation_id = line.organisation_id
 AND share.series = line.series AND share.number = line.number AND share.line = line.line
GROUP BY line.organisation_id, line.series, line.number, line.line, line.net
HAVING COALESCE(SUM(share.units), 0) <> line.net;

--? organisation {0}, {1}-{2:06d} | its number or its day does not follow the one before
SELECT one.organisation_id, one.series, one.number FROM invoice AS one
LEFT JOIN invoice AS before ON before.organisation_id = one.organisation_id
 AND before.series = one.series AND before.number = one.number - 1
WHERE one.number <> 1 AND (before.number IS NULL OR before.issued_on > one.issued_on);

--? organisation {0}, {1}-{2:06d} | the ledger has another amount or another document
SELECT one.organisation_id, one.series, one.number FROM invoice AS one
LEFT JOIN ledger_transaction AS entry ON entry.organisation_id = one.organisation_id
 AND entry.number = one.entry_number
LEFT JOIN ledger_posting AS line ON line.organisation_id = one.organisation_id
 AND line.number = one.entry_number AND line.account = '411'
WHERE COALESCE(entry.evidence, '') <> one.digest
   OR COALESCE(line.units, 0) <> CASE WHEN one.kind = 'credit' THEN -one.gross ELSE one.gross END;

--? organisation {0}, {1}-{2:06d} | more than all of it is set against it
SELECT whole.organisation_id, whole.series, whole.number FROM allocation AS part
JOIN invoice AS whole ON whole.organisation_id = part.organisation_id
 AND whole.series = part.series AND whole.number = part.number
GROUP BY whole.organisation_id, whole.series, whole.number, whole.gross
HAVING SUM(part.units) NOT BETWEEN 0 AND whole.gross;

-- Every line adds one on its first day and takes one after its last; a credit the other way round.
-- Only subscriptions of which two lines overlap, or something was credited, are looked at.
--? subscription {0}, {1} of organisation {2} | days were invoiced twice, or credited too often
WITH line AS MATERIALIZED (
  SELECT one.subscription_id, one.organisation_id, line.component, line.starts_on, line.ends_on,
         CASE WHEN (one.kind = 'credit') = (line.net < 0) THEN 1 ELSE -1 END AS step
  FROM invoice AS one JOIN invoice_line AS line ON line.organisation_id = one.organisation_id
   AND line.series = one.series AND line.number = one.number
  WHERE line.starts_on IS NOT NULL AND REPLACE(line.component, '/discount', '') = line.component
), suspect AS MATERIALIZED (
  SELECT DISTINCT subscription_id FROM (
    SELECT subscription_id, starts_on, step, LAG(ends_on) OVER (
      PARTITION BY subscription_id, component, organisation_id ORDER BY starts_on) AS before
    FROM line) AS beside WHERE before >= starts_on OR step < 0
), step AS (
  SELECT subscription_id, component, organisation_id, starts_on AS day, step FROM line
  WHERE subscription_id IN (SELECT subscription_id FROM suspect)
  UNION ALL
  SELECT subscription_id, component, organisation_id, NEXT_DAY, -step FROM line
  WHERE subscription_id IN (SELECT subscription_id FROM suspect)
), running AS (
  SELECT subscription_id, component, organisation_id, SUM(SUM(step)) OVER (
    PARTITION BY subscription_id, component, organisation_id ORDER BY day) AS covered
  FROM step GROUP BY subscription_id, component, organisation_id, day
)
SELECT DISTINCT subscription_id, component, organisation_id FROM running
WHERE covered NOT BETWEEN 0 AND 1;

--? journal {0}, {1} | open documents and what the ledger says is owed differ by {2} cents
SELECT owner, party, SUM(units) FROM (
  SELECT organisation_id AS owner, party,
         CASE WHEN kind = 'credit' THEN -gross ELSE gross END AS units FROM invoice
  UNION ALL
  SELECT one.organisation_id, one.party,
         CASE WHEN one.kind = 'credit' THEN part.units ELSE -part.units END
  FROM allocation AS part JOIN invoice AS one ON one.organisation_id = part.organisation_id
   AND one.series = part.series AND one.number = part.number
  UNION ALL
  SELECT organisation_id, party, -units FROM ledger_posting
  WHERE account = '411' AND commodity = 'EUR'
) AS every GROUP BY owner, party HAVING SUM(units) <> 0;

--? subscription {0} | its invoices reach to {1}, it says {2}
SELECT one.id, MAX(line.ends_on), one.billed_to FROM subscription AS one
JOIN invoice ON invoice.subscription_id = one.id AND invoice.kind = 'invoice'
JOIN invoice_line AS line ON line.organisation_id = invoice.organisation_id
 AND line.series = invoice.series AND line.number = invoice.number
WHERE line.ends_on IS NOT NULL
GROUP BY one.id, one.billed_to HAVING MAX(line.ends_on) >= one.billed_to;

--? subscriber {0} | it was erased, and something still leads to it
SELECT one.subscriber_id FROM erasure AS one
WHERE EXISTS (SELECT 1 FROM identity AS there WHERE there.subscriber_id = one.subscriber_id)
   OR EXISTS (SELECT 1 FROM person_reference AS there WHERE there.subscriber_id = one.subscriber_id)
   OR EXISTS (SELECT 1 FROM subscription AS there
              WHERE there.subscriber_id = one.subscriber_id AND there.state <> 'ended');

--? archived identity {0} | nothing is sealed under it, or the active base has it too
SELECT one.identity_id FROM archived_identity AS one
WHERE NOT EXISTS (SELECT 1 FROM sealed_secret AS there
                  WHERE there.owner = 'archive:' || one.identity_id)
   OR EXISTS (SELECT 1 FROM identity AS there WHERE there.id = one.identity_id);
