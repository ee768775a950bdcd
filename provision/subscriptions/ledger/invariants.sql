-- What must never be found. Each question returns the places of what is wrong; its header says how
-- a place is named, and what is wrong there. NEXT_DAY is the day after a line's last, in the words
-- of each database.

-- Lines lie in the order of their entries: commodities are told apart where there may be several.
--? journal {0}, entry {1} | debits and credits are not equal
SELECT line.organisation_id, line.number FROM (
  SELECT organisation_id, number FROM ledger_posting
  GROUP BY organisation_id, number HAVING SUM(units) <> 0
  UNION
  SELECT organisation_id, number FROM ledger_posting WHERE commodity <> 'EUR'
) AS one JOIN ledger_posting AS line ON line.organisation_id = one.organisation_id
 AND line.number = one.number
GROUP BY line.organisation_id, line.number, line.commodity HAVING SUM(line.units) <> 0;

--? journal {0}, entry {1} | it has less than two lines
SELECT organisation_id, number FROM ledger_transaction
EXCEPT
SELECT organisation_id, number FROM ledger_posting
GROUP BY organisation_id, number HAVING COUNT(*) > 1;

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
   OR COALESCE(line.units, 0) <> CASE WHEN one.kind IN ('credit', 'self-billed-credit')
                                      THEN -one.gross ELSE one.gross END;

--? organisation {0}, {1}-{2:06d} | more than all of it is set against it
SELECT whole.organisation_id, whole.series, whole.number FROM allocation AS part
JOIN invoice AS whole ON whole.organisation_id = part.organisation_id
 AND whole.series = part.series AND whole.number = part.number
GROUP BY whole.organisation_id, whole.series, whole.number, whole.gross
HAVING SUM(part.units) NOT BETWEEN 0 AND whole.gross;

-- Every line adds one on its first day and takes one after its last; a credit the other way round.
-- Only subscriptions of which two lines overlap, or something was credited, are looked at.
--? subscription {0}, {1} of organisation {2} | days were invoiced twice, or credited too often
WITH line AS NOT MATERIALIZED (
  SELECT one.subscription_id, one.organisation_id, line.component, line.starts_on, line.ends_on,
         CASE WHEN (one.kind = 'credit') = (line.net < 0) THEN 1 ELSE -1 END AS step
  FROM invoice AS one JOIN invoice_line AS line ON line.organisation_id = one.organisation_id
   AND line.series = one.series AND line.number = one.number
  WHERE line.starts_on IS NOT NULL AND line.vat_category <> 'rounding'
    AND SUBSTR(line.component, LENGTH(line.component) - 8) <> '/discount'
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

-- What the documents of one entry and its lines say of one person is compared first: it is nothing
-- nearly everywhere, and numbers are sorted faster than names.
--? journal {0}, {1} | open documents and what the ledger says is owed differ by {2} cents
SELECT owner, party, SUM(units) FROM (
  SELECT owner, party, SUM(units) AS units FROM (
    SELECT organisation_id AS owner, entry_number AS entry, party,
           CASE WHEN kind IN ('credit', 'self-billed-credit') THEN -gross ELSE gross END AS units
    FROM invoice
    UNION ALL
    SELECT one.organisation_id, part.entry_number, one.party,
           CASE WHEN one.kind IN ('credit', 'self-billed-credit')
                THEN part.units ELSE -part.units END
    FROM allocation AS part JOIN invoice AS one ON one.organisation_id = part.organisation_id
     AND one.series = part.series AND one.number = part.number
    UNION ALL
    SELECT organisation_id, number, party, -units FROM ledger_posting
    WHERE account = '411' AND commodity = 'EUR'
  ) AS every GROUP BY entry, owner, party HAVING SUM(units) <> 0
) AS entry GROUP BY owner, party HAVING SUM(units) <> 0;

--? journal {0}, {1} | the customer was paid back {2} cents too much, and no document asks for them
SELECT organisation_id, party, SUM(units) FROM ledger_posting
WHERE account = '4197' AND commodity = 'EUR'
GROUP BY organisation_id, party HAVING SUM(units) > 0;

--? journal {0}, {1} | deposits that wait and account 4191 differ by {2} cents
SELECT owner, party, SUM(units) FROM (
  SELECT organisation_id AS owner, party, net AS units FROM invoice WHERE kind = 'deposit'
  UNION ALL
  SELECT one.organisation_id, one.party, COALESCE(rounded.units, 0) - note.net FROM invoice AS one
  JOIN invoice AS note ON note.organisation_id = one.organisation_id
   AND note.credited_series = one.series AND note.credited_number = one.number
  LEFT JOIN (
    SELECT organisation_id, series, number, SUM(net) AS units FROM invoice_line
    WHERE vat_category = 'rounding' GROUP BY organisation_id, series, number
  ) AS rounded ON rounded.organisation_id = note.organisation_id
   AND rounded.series = note.series AND rounded.number = note.number
  WHERE one.kind = 'deposit'
  UNION ALL
  SELECT one.organisation_id, one.party, -part.net FROM deposit_deduction AS part
  JOIN invoice AS one ON one.organisation_id = part.organisation_id
   AND one.series = part.deposit_series AND one.number = part.deposit_number
  UNION ALL
  SELECT organisation_id, party, units FROM ledger_posting
  WHERE account = '4191' AND commodity = 'EUR'
) AS every GROUP BY owner, party HAVING SUM(units) <> 0;

--? organisation {0}, {1}-{2:06d} | more of this deposit is deducted and credited than it has
SELECT one.organisation_id, one.series, one.number FROM invoice AS one
JOIN (
  SELECT organisation_id, deposit_series AS series, deposit_number AS number, net, vat
  FROM deposit_deduction
  UNION ALL
  SELECT note.organisation_id, note.credited_series, note.credited_number,
         note.net - COALESCE(rounded.units, 0), note.vat + COALESCE(rounded.units, 0)
  FROM invoice AS note
  LEFT JOIN (
    SELECT organisation_id, series, number, SUM(net) AS units FROM invoice_line
    WHERE vat_category = 'rounding' GROUP BY organisation_id, series, number
  ) AS rounded ON rounded.organisation_id = note.organisation_id
   AND rounded.series = note.series AND rounded.number = note.number
  WHERE note.credited_number IS NOT NULL
) AS gone ON gone.organisation_id = one.organisation_id
 AND gone.series = one.series AND gone.number = one.number
WHERE one.kind = 'deposit'
GROUP BY one.organisation_id, one.series, one.number, one.net, one.vat
HAVING SUM(gone.net) > one.net OR SUM(gone.vat) > one.vat;

--? organisation {0}, {1}-{2:06d} | what it deducts of deposits is not what is set against it
SELECT organisation_id, series, number FROM (
  SELECT organisation_id, series, number, net + vat AS units FROM deposit_deduction
  UNION ALL
  SELECT organisation_id, series, number, -units FROM allocation WHERE kind = 'deposit'
) AS every GROUP BY organisation_id, series, number HAVING SUM(units) <> 0;

--? organisation {0}, {1}-{2:06d} | the ledger turns another amount of its deposits over
SELECT part.organisation_id, part.series, part.number FROM deposit_deduction AS part
LEFT JOIN ledger_posting AS line ON line.organisation_id = part.organisation_id
 AND line.number = part.entry_number
GROUP BY part.organisation_id, part.series, part.number, part.deposit_series,
 part.deposit_number, part.net, part.vat
HAVING COALESCE(SUM(CASE WHEN line.account = '4191' THEN line.units END), 0) <> part.net
    OR COALESCE(SUM(CASE WHEN line.account = '44571' THEN line.units END), 0) <> part.vat
    OR COALESCE(SUM(CASE WHEN line.account = '411' THEN line.units END), 0)
       <> -(part.net + part.vat);

--? subscription {0} | its invoices reach to {1}, it says {2}
SELECT one.id, MAX(line.ends_on), one.billed_to FROM subscription AS one
JOIN invoice ON invoice.subscription_id = one.id AND invoice.kind = 'invoice'
JOIN invoice_line AS line ON line.organisation_id = invoice.organisation_id
 AND line.series = invoice.series AND line.number = invoice.number
WHERE line.ends_on >= one.billed_to
GROUP BY one.id, one.billed_to;

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
-- What one organisation owes another (401, 408, and 467 for help from funds) is what the other
-- claims (411, 418, 467).
--? organisations {0} and {1} | what one claims and the other owes differ by {2} cents
WITH line AS (
  SELECT organisation_id AS owner, CAST(SUBSTR(party, 14) AS INTEGER) AS other, account, units
  FROM ledger_posting
  WHERE SUBSTR(party, 1, 13) = 'organisation-' AND commodity = 'EUR'
    AND account IN ('401', '408', '411', '418', '467')
), claim AS (
  SELECT owner AS one, other AS two, 'invoiced' AS what, units FROM line WHERE account = '411'
  UNION ALL SELECT other, owner, 'invoiced', units FROM line WHERE account = '401'
  UNION ALL SELECT owner, other, 'to come', units FROM line WHERE account = '418'
  UNION ALL SELECT other, owner, 'to come', units FROM line WHERE account = '408'
  UNION ALL SELECT CASE WHEN owner < other THEN owner ELSE other END,
                   CASE WHEN owner < other THEN other ELSE owner END, 'help', units
            FROM line WHERE account = '467'
)
SELECT one, two, SUM(units) FROM claim GROUP BY one, two, what HAVING SUM(units) <> 0;

--? settlement {0}-{1}-{2} | it does not begin where the one before it ended
SELECT one.seller_id, one.beneficiary_id, one.number FROM settlement AS one
LEFT JOIN settlement AS before ON before.seller_id = one.seller_id
 AND before.beneficiary_id = one.beneficiary_id AND before.number = one.number - 1
WHERE one.after_entry <> COALESCE(before.last_entry, 0)
   OR (one.number <> 1 AND before.number IS NULL);

--? settlement {0}-{1}-{2} | it is not the sum of its parts
SELECT one.seller_id, one.beneficiary_id, one.number FROM settlement AS one
LEFT JOIN settlement_part AS part ON part.seller_id = one.seller_id
 AND part.beneficiary_id = one.beneficiary_id AND part.number = one.number
GROUP BY one.seller_id, one.beneficiary_id, one.number, one.units
HAVING COALESCE(SUM(part.units), 0) <> one.units;

--? settlement {0}-{1}-{2} | the sales of its entries give another sum
WITH share AS (
  SELECT one.organisation_id, share.beneficiary_id, share.fund_id, one.entry_number,
         CASE WHEN one.kind IN ('credit', 'self-billed-credit') THEN -share.units
              ELSE share.units END AS units
  FROM line_share AS share
  JOIN invoice AS one ON one.organisation_id = share.organisation_id
   AND one.series = share.series AND one.number = share.number
  JOIN invoice_line AS line ON line.organisation_id = share.organisation_id
   AND line.series = share.series AND line.number = share.number AND line.line = share.line
  JOIN split_contract AS contract ON contract.id = line.contract_id
  WHERE contract.mode IN ('resale', 'licensed')
    AND (share.fund_id IS NOT NULL OR share.beneficiary_id <> share.organisation_id)
)
SELECT whole.seller_id, whole.beneficiary_id, whole.number FROM settlement AS whole
LEFT JOIN share ON share.organisation_id = whole.seller_id
 AND share.beneficiary_id = whole.beneficiary_id
 AND share.entry_number > whole.after_entry AND share.entry_number <= whole.last_entry
GROUP BY whole.seller_id, whole.beneficiary_id, whole.number, whole.units
HAVING COALESCE(SUM(share.units), 0) <> whole.units;

--? settlement {0}-{1}-{2} | it says that it is invoiced, and its document has another sum
SELECT step.seller_id, step.beneficiary_id, step.number FROM settlement_step AS step
JOIN settlement AS whole ON whole.seller_id = step.seller_id
 AND whole.beneficiary_id = step.beneficiary_id AND whole.number = step.number
LEFT JOIN invoice AS one ON one.organisation_id = step.beneficiary_id
 AND one.key = 'settlement:' || step.seller_id || ':' || step.number
WHERE step.state = 'invoiced' AND COALESCE(
  CASE WHEN one.kind IN ('credit', 'self-billed-credit') THEN -one.net ELSE one.net END, 0
) <> whole.units;

--? settlement {0}-{1}-{2} | it says that it is settled, and {3} cents of its document are open
SELECT one.seller_id, one.beneficiary_id, one.number, one.gross - COALESCE(SUM(part.units), 0)
FROM (
  SELECT step.seller_id, step.beneficiary_id, step.number, document.series,
         document.number AS place, document.gross
  FROM settlement_step AS step
  JOIN invoice AS document ON document.organisation_id = step.beneficiary_id
   AND document.key = 'settlement:' || step.seller_id || ':' || step.number
  WHERE step.state = 'settled'
) AS one
LEFT JOIN allocation AS part ON part.organisation_id = one.beneficiary_id
 AND part.series = one.series AND part.number = one.place
GROUP BY one.seller_id, one.beneficiary_id, one.number, one.gross
HAVING one.gross <> COALESCE(SUM(part.units), 0);

--? fund {0} | its movements and its custodian's books differ by {1} cents
SELECT fund_id, SUM(units) FROM (
  SELECT fund_id, units FROM fund_movement
  UNION ALL
  SELECT fund.id, line.units FROM fund
  JOIN ledger_posting AS line ON line.organisation_id = fund.custodian_id
   AND line.party = 'fund-' || fund.id
   AND line.account IN ('195', '467') AND line.commodity = 'EUR'
) AS every GROUP BY fund_id HAVING SUM(units) <> 0;

--? fund {0} | it holds {1} cents
SELECT fund_id, SUM(units) FROM fund_movement GROUP BY fund_id HAVING SUM(units) < 0;

--? fund {0} | {1} cents of its shares were not put aside
SELECT given.fund_id, given.units - COALESCE(kept.units, 0) FROM (
  SELECT fund_id, SUM(units) AS units FROM settlement_part
  WHERE fund_id IS NOT NULL GROUP BY fund_id
) AS given
LEFT JOIN (
  SELECT fund_id, SUM(units) AS units FROM fund_movement WHERE kind = 'share' GROUP BY fund_id
) AS kept ON kept.fund_id = given.fund_id
WHERE given.units > COALESCE(kept.units, 0);

--? fund decision {0} | {1} cents more were paid than it says
SELECT decision.id, -SUM(part.units) - decision.units FROM fund_decision AS decision
JOIN fund_movement AS part ON part.decision_id = decision.id
GROUP BY decision.id, decision.units HAVING -SUM(part.units) > decision.units;

--? promised debt {0} | what is left of it and the books differ by {1} cents
SELECT debt_id, SUM(units) FROM (
  SELECT id AS debt_id, units FROM promised_debt
  UNION ALL
  SELECT debt_id, -units FROM debt_payment
  UNION ALL
  SELECT debt.id, line.units FROM promised_debt AS debt
  JOIN ledger_posting AS line ON line.organisation_id = debt.organisation_id
   AND line.party = 'debt-' || debt.id AND line.account = '801'
) AS every GROUP BY debt_id HAVING SUM(units) <> 0;
--? journal {0} | {1} cents are being collected on 511, and no debit waits there
SELECT organisation_id, SUM(units) FROM ledger_posting
WHERE account = '511' GROUP BY organisation_id HAVING SUM(units) <> 0;

--? journal {0}, movement {1} | the bank says another amount than the ledger
SELECT movement.organisation_id, movement.id FROM bank_movement AS movement
JOIN movement_booking AS booking ON booking.movement_id = movement.id AND booking.position = 1
LEFT JOIN ledger_posting AS line ON line.organisation_id = booking.organisation_id
 AND line.number = booking.entry_number AND line.account = '512'
GROUP BY movement.organisation_id, movement.id, movement.units
HAVING COALESCE(SUM(line.units), 0) <> movement.units;

--? journal {0}, movement {1} | what is parked on 471 is not what waits to be explained
SELECT booking.organisation_id, booking.movement_id FROM movement_booking AS booking
JOIN bank_movement AS movement ON movement.id = booking.movement_id
LEFT JOIN ledger_posting AS line ON line.organisation_id = booking.organisation_id
 AND line.number = booking.entry_number AND line.account = '471'
GROUP BY booking.organisation_id, booking.movement_id, movement.units
HAVING COALESCE(SUM(line.units), 0)
    <> CASE WHEN MAX(booking.position) = 1 AND MAX(booking.kind) = 'parked'
            THEN -movement.units ELSE 0 END;

--? statement {0} | it does not begin where the one before it on its account ended
SELECT id FROM (
  SELECT id, opening, LAG(closing) OVER (
    PARTITION BY organisation_id, account ORDER BY id) AS before FROM bank_statement
) AS one WHERE before IS NOT NULL AND before <> opening;

--? statement {0} | its movements do not add up to its closing
SELECT one.id FROM bank_statement AS one
LEFT JOIN bank_movement AS movement ON movement.statement_id = one.id
GROUP BY one.id, one.opening, one.closing
HAVING one.opening + COALESCE(SUM(movement.units), 0) <> one.closing;

--? organisation {0}, debit {1} | it was paid, and the ledger has no entry of it
SELECT answer.organisation_id, answer.end_to_end FROM collection_answer AS answer
WHERE answer.state IN ('paid', 'returned') AND NOT EXISTS (
  SELECT 1 FROM ledger_transaction AS entry WHERE entry.organisation_id = answer.organisation_id
  AND entry.number = answer.entry_number);

--? organisation {0}, collection {1} | its files do not hold its debits
SELECT one.organisation_id, one.collection FROM (
  SELECT organisation_id, collection, SUM(units) AS units,
         COUNT(DISTINCT CASE WHEN debit = '' THEN end_to_end ELSE debit END) AS debits
  FROM collection_item GROUP BY organisation_id, collection) AS one
JOIN (SELECT organisation_id, collection, SUM(count) AS debits, SUM(units) AS units
      FROM collection_file GROUP BY organisation_id, collection) AS file
 ON file.organisation_id = one.organisation_id AND file.collection = one.collection
WHERE one.debits <> file.debits OR one.units <> file.units;

--? organisation {0}, debit {1} | its invoices are of two mandates or files, or answered apart
SELECT item.organisation_id, item.debit FROM collection_item AS item
LEFT JOIN (SELECT organisation_id, end_to_end, COUNT(*) AS answers FROM collection_answer
           GROUP BY organisation_id, end_to_end) AS answer
 ON answer.organisation_id = item.organisation_id AND answer.end_to_end = item.end_to_end
WHERE item.debit <> '' GROUP BY item.organisation_id, item.debit
HAVING COUNT(DISTINCT item.mandate_id) > 1 OR COUNT(DISTINCT item.collection) > 1
 OR COUNT(DISTINCT item.file) > 1 OR COUNT(DISTINCT COALESCE(answer.answers, 0)) > 1;

--? organisation {0}, {1}-{2:06d} | it waits in two collections
SELECT item.organisation_id, item.series, item.invoice FROM collection_item AS item
WHERE NOT EXISTS (SELECT 1 FROM collection_answer AS answer
                  WHERE answer.organisation_id = item.organisation_id
                  AND answer.end_to_end = item.end_to_end)
GROUP BY item.organisation_id, item.series, item.invoice HAVING COUNT(*) > 1;

--? organisation {0}, receipt {1}-{2:06d} | its number or its day does not follow the one before
SELECT one.organisation_id, one.series, one.number FROM receipt AS one
LEFT JOIN receipt AS before ON before.organisation_id = one.organisation_id
 AND before.series = one.series AND before.number = one.number - 1
WHERE one.number <> 1 AND (before.number IS NULL OR before.issued_on > one.issued_on);

--? organisation {0}, receipt {1}-{2:06d} | the ledger has another amount, giver or kind
SELECT one.organisation_id, one.series, one.number FROM receipt AS one
LEFT JOIN ledger_posting AS line ON line.organisation_id = one.organisation_id
 AND line.number = one.entry_number AND line.party = one.party
 AND line.account IN ('756', '7541', '7542')
GROUP BY one.organisation_id, one.series, one.number, one.kind, one.units
HAVING COALESCE(SUM(line.units), 0) <> -one.units
    OR (one.kind = 'membership') <> (MAX(line.account) = '756');

--? organisation {0}, receipt {1}-{2:06d} | it is cancelled, and the ledger did not take it back
SELECT gone.organisation_id, gone.series, gone.number FROM receipt_cancellation AS gone
JOIN receipt AS one ON one.organisation_id = gone.organisation_id
 AND one.series = gone.series AND one.number = gone.number
LEFT JOIN ledger_posting AS line ON line.organisation_id = one.organisation_id
 AND line.number = gone.entry_number AND line.party = one.party
 AND line.account IN ('756', '7541', '7542')
WHERE SUBSTR(one.party, 1, 13) <> 'organisation-'
GROUP BY gone.organisation_id, gone.series, gone.number, one.units
HAVING COALESCE(SUM(line.units), 0) <> one.units;

--? journal {0}, entry {1} | it is the income of two receipts that count
SELECT one.organisation_id, one.entry_number FROM receipt AS one
LEFT JOIN receipt_cancellation AS gone ON gone.organisation_id = one.organisation_id
 AND gone.series = one.series AND gone.number = one.number
WHERE gone.number IS NULL
GROUP BY one.organisation_id, one.entry_number HAVING COUNT(*) > 1;

--? journal {0}, {1} | {2} cents of it went to the bank beyond what there was
SELECT organisation_id, party, -SUM(units) FROM ledger_posting
WHERE account = '5112' GROUP BY organisation_id, party HAVING SUM(units) < 0;

-- A movement of the bank is such income only as a receipt; a gift between organisations has none.
--? journal {0}, entry {1} | the receipt, or the cancellation, that it tells of is not there
SELECT line.organisation_id, line.number FROM ledger_posting AS line
JOIN ledger_transaction AS entry ON entry.organisation_id = line.organisation_id
 AND entry.number = line.number
LEFT JOIN receipt AS one ON one.organisation_id = line.organisation_id
 AND one.entry_number = line.number
LEFT JOIN receipt_cancellation AS gone ON gone.organisation_id = line.organisation_id
 AND gone.entry_number = line.number
WHERE line.account IN ('756', '7541', '7542') AND (
  (line.units < 0 AND one.number IS NULL
   AND SUBSTR(entry.idempotency_key, 1, 8) IN ('receipt:', 'movement'))
  OR (line.units > 0 AND gone.number IS NULL AND SUBSTR(entry.idempotency_key, 1, 8) = 'receipt:'));

--? organisation {0}, receipt {1}-{2:06d} | the ledger has the seal of another receipt
SELECT one.organisation_id, one.series, one.number FROM receipt AS one
JOIN ledger_transaction AS entry ON entry.organisation_id = one.organisation_id
 AND entry.number = one.entry_number
WHERE SUBSTR(entry.idempotency_key, 1, 8) = 'receipt:' AND entry.evidence <> one.digest;

--? organisation {0}, receipt {1}-{2:06d} | one of its copies is not there
SELECT organisation_id, series, number FROM receipt_copy
GROUP BY organisation_id, series, number HAVING MIN(position) <> 1 OR MAX(position) <> COUNT(*);

--? organisation {0}, {1}-{2:06d} | it charges VAT on what is taxed abroad
SELECT organisation_id, series, number FROM invoice_line
WHERE vat_abroad NOT IN ('', 'union_consumer') AND vat <> 0;

--? journal {0}, payout {1} | it is not the sum of its payments
SELECT one.organisation_id, one.id FROM payout AS one
LEFT JOIN payout_payment AS part ON part.payout_id = one.id
GROUP BY one.organisation_id, one.id, one.gross, one.fees, one.net
HAVING COALESCE(SUM(part.gross), 0) <> one.gross OR COALESCE(SUM(part.fee), 0) <> one.fees
    OR one.gross - one.fees <> one.net;

--? journal {0}, payment {1} of a payout | the ledger has another amount, or another fee
SELECT part.organisation_id, part.id FROM payout_payment AS part
LEFT JOIN payout_booking AS booking ON booking.payment_id = part.id AND booking.position = 1
LEFT JOIN ledger_posting AS line ON line.organisation_id = booking.organisation_id
 AND line.number = booking.entry_number AND line.account IN ('5115', '627')
GROUP BY part.organisation_id, part.id, part.gross, part.fee
HAVING COALESCE(SUM(CASE WHEN line.account = '5115' THEN line.units END), 0)
       <> part.gross - part.fee
    OR COALESCE(SUM(CASE WHEN line.account = '627' THEN line.units END), 0) <> part.fee;

--? journal {0}, payment {1} of a payout | what is parked on 471 is not what waits to be explained
SELECT part.organisation_id, part.id FROM payout_payment AS part
JOIN payout_booking AS booking ON booking.payment_id = part.id
LEFT JOIN ledger_posting AS line ON line.organisation_id = booking.organisation_id
 AND line.number = booking.entry_number AND line.account = '471'
GROUP BY part.organisation_id, part.id, part.gross
HAVING COALESCE(SUM(line.units), 0)
    <> CASE WHEN MAX(booking.position) = 1 AND MAX(booking.kind) = 'parked'
            THEN -part.gross ELSE 0 END;

--? journal {0}, {1} | {2} cents of it wait on 5115, and it was another payout
SELECT line.organisation_id, line.party, SUM(line.units) FROM ledger_posting AS line
LEFT JOIN payout AS one ON one.organisation_id = line.organisation_id
 AND line.party = 'payout-' || one.provider || '-' || one.reference
WHERE line.account = '5115'
GROUP BY line.organisation_id, line.party, one.id, one.net
HAVING one.id IS NULL OR SUM(line.units) NOT IN (0, one.net);
