"""What refuses a new row of the ledger or of an invoice, in the words of both databases.

`NEW` is the row. A maximum would be looked for among all rows: the row before is there, or there is
a gap.
"""

from __future__ import annotations

from provision.migrations.guards import RowGuard

INVOICE = ("organisation_id", "series", "number")
SAME_INVOICE = " AND ".join(f"there.{column} = NEW.{column}" for column in INVOICE)

LEDGER = (
    RowGuard(
        "ledger_transaction",
        "unbalanced",
        """EXISTS (SELECT 1 FROM ledger_posting AS line
                   WHERE line.organisation_id = NEW.organisation_id AND line.number = NEW.number
                   GROUP BY line.commodity HAVING SUM(line.units) <> 0)""",
        "a ledger transaction must balance in every commodity",
    ),
    RowGuard(
        "ledger_transaction",
        "empty",
        """(SELECT COUNT(*) FROM ledger_posting AS line
            WHERE line.organisation_id = NEW.organisation_id AND line.number = NEW.number) < 2""",
        "a ledger transaction needs two postings",
    ),
    RowGuard(
        "ledger_posting",
        "sealed",
        """EXISTS (SELECT 1 FROM ledger_transaction AS sealed
                   WHERE sealed.organisation_id = NEW.organisation_id
                   AND sealed.number = NEW.number)""",
        "a sealed ledger transaction takes no more postings",
    ),
)
GAP = RowGuard(
    "ledger_transaction",
    "gap",
    """NEW.number <> 1 AND NOT EXISTS (
         SELECT 1 FROM ledger_transaction AS there
         WHERE there.organisation_id = NEW.organisation_id AND there.number = NEW.number - 1)""",
    "the numbers of ledger transactions have no gaps",
)
CLOSED = RowGuard(
    "ledger_transaction",
    "closed",
    """EXISTS (SELECT 1 FROM closing AS there
               WHERE there.organisation_id = NEW.organisation_id
               AND there.last_day >= NEW.effective_on)""",
    "a closed period takes no more entries",
)
INVOICES = (
    RowGuard(
        "invoice_line",
        "inexact",
        f"""NEW.net <> (SELECT COALESCE(SUM(there.units), 0) FROM line_share AS there
            WHERE {SAME_INVOICE} AND there.line = NEW.line)""",
        "the shares of an invoice line must add up to it",
    ),
    RowGuard(
        "line_share",
        "sealed",
        f"""EXISTS (SELECT 1 FROM invoice_line AS there
            WHERE {SAME_INVOICE} AND there.line = NEW.line)""",
        "a sealed invoice line takes no more shares",
    ),
    RowGuard(
        "invoice_line",
        "sealed",
        f"EXISTS (SELECT 1 FROM invoice AS there WHERE {SAME_INVOICE})",
        "a sealed invoice takes no more lines",
    ),
    RowGuard(
        "invoice",
        "inexact",
        f"""EXISTS (SELECT 1 FROM (SELECT COALESCE(SUM(there.net), 0) AS net,
                                          COALESCE(SUM(there.vat), 0) AS vat
                                   FROM invoice_line AS there WHERE {SAME_INVOICE}) AS whole
            WHERE whole.net <> NEW.net OR whole.vat <> NEW.vat
            OR NEW.net + NEW.vat <> NEW.gross)""",
        "an invoice must be the sum of its lines",
    ),
    RowGuard(
        "invoice",
        "gap",
        """NEW.number <> 1 AND NOT EXISTS (SELECT 1 FROM invoice AS there
            WHERE there.organisation_id = NEW.organisation_id AND there.series = NEW.series
            AND there.number = NEW.number - 1)""",
        "the numbers of invoices have no gaps",
    ),
    RowGuard(
        "invoice",
        "backwards",
        """EXISTS (SELECT 1 FROM invoice AS there
                   WHERE there.organisation_id = NEW.organisation_id
                   AND there.series = NEW.series AND there.number = NEW.number - 1
                   AND there.issued_on > NEW.issued_on)""",
        "the days of invoices go forwards with their numbers",
    ),
)
