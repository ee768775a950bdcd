"""What a line of a list of clients comes to: rows to add, and what to mend. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError, UsageRefused, WordRefused
from provision.formats.sepa.prenotification import USUAL_DAYS, masked
from provision.subscriptions.documents import union_consumers
from provision.subscriptions.offers import plans
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.parties import clients, organisations, people, profiles
from provision.subscriptions.parties.clients import Called
from provision.subscriptions.payments import mandates
from provision.subscriptions.payments.mandates import WantedMandate
from provision.subscriptions.selling import changes, opening
from provision.subscriptions.selling.opening import Sale
from provision.workflows.known_clients import KnownClients

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from typing import TypeAlias

    from sqlalchemy.orm import Session

    from provision.formats.clients.lines import ClientLine, MandateWords, SubscriptionWords
    from provision.registry.models import Subscriber
    from provision.registry.states import Told
    from provision.subscriptions.offers.models import SplitContract
    from provision.subscriptions.parties.identities import Person
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.parties.profiles import Profile
    from provision.subscriptions.payments.models import MandateRow
    from provision.subscriptions.selling.models import Subscription

    Sold: TypeAlias = tuple[Sale, SplitContract]


@dataclass(frozen=True)
class Bringing:
    """Whose clients these are, on which day they are brought in by whom, in which language.

    `enrols` says that who is not known becomes a subscriber; else only mandates are brought in.
    """

    organisation: str
    when: tuple[date, Told]
    language: str
    enrols: bool


@dataclass
class ClientPlan:
    """What a line comes to: rows that are there, or new ones that are to be added.

    `called` is set where a subscriber who is there is to be mended; `otherwise` has the columns of
    a mandate that are.
    """

    line: ClientLine
    subscriber: Subscriber
    person: Person
    is_new: bool
    called: Called | None = None
    mandate: MandateRow | None = None
    mandate_is_new: bool = False
    otherwise: Mapping[str, object] | None = None
    subscription: Subscription | None = None
    subscription_is_new: bool = False


class LineRefused(Exception):
    """What is wrong with a line beyond its cells, each at the word that tells of it."""

    def __init__(self, refused: Iterable[tuple[str, PaquetError]]) -> None:
        super().__init__()
        self.refused = tuple(refused)


class Planner:
    """What all lines have in common: whose clients they are, who is there, what is sold."""

    def __init__(self, session: Session, wanted: Bringing, lines: Iterable[ClientLine]) -> None:
        self.session, self.wanted, self.today = session, wanted, wanted.when[0]
        self.owner = organisations.get(session, wanted.organisation)
        told_of = [line.mandate for line in lines if line.mandate]
        self.profile: Profile | None = None
        if told_of:  # without this none could be written: it is no fault of a line
            self.profile = profiles.needed(session, self.owner, self.today)
            mandates.creditor(self.profile)
        kept = [words.reference for words in told_of]
        self.free = mandates.free_references(session, self.owner, kept)
        self.known, self.claimed = KnownClients(session, self.owner.id), dict[int, int]()
        self.catalogue = Catalogue(session)
        self.organisations = {"": self.owner}
        self.sold: dict[SubscriptionWords, Sold] = {}

    def plan(self, line: ClientLine) -> ClientPlan:
        """Return what a line comes to, or raise LineRefused with all parts that are refused."""
        try:
            plan = self._client(line)
        except PaquetError as wrong:
            raise LineRefused([(word_of(wrong, ""), wrong)]) from None
        refused = []
        for word, part in (("iban", self._mandate), ("plan", self._subscription)):
            try:
                part(plan)
            except PaquetError as wrong:
                refused.append((word_of(wrong, word), wrong))
        if refused:
            raise LineRefused(refused)
        return plan

    def _client(self, line: ClientLine) -> ClientPlan:
        subscriber = self.known.subscriber(line)
        if subscriber is None and not self.wanted.enrols:
            raise people.nobody()
        if subscriber is None:
            said = {"language": self.wanted.language, **line.said}
            called = Called(line.name, line.email)
            return ClientPlan(line, *clients.new(called, said, self.wanted.when[1]), is_new=True)
        first = self.claimed.setdefault(subscriber.id, line.line)
        if first != line.line:
            raise UsageRefused(
                f"Line {first} is about the same subscriber, {subscriber.id}",
                "If it is somebody else, write them down first: paquet subscriber add",
            )
        plan = ClientPlan(line, subscriber, self.known.person(subscriber), is_new=False)
        if self.wanted.enrols:
            called = Called(line.name, line.email or None)
            person = clients.otherwise(subscriber, plan.person, called, line.said)
            if person is not None:
                plan.person, plan.called = person, called
        return plan

    def _mandate(self, plan: ClientPlan) -> None:
        """Plan the mandate of a line, or what it says otherwise of the one that is there."""
        words = plan.line.mandate
        if words is None or self.profile is None:
            return
        plan.mandate = None if plan.is_new else self.known.mandate(words, plan.subscriber)
        if plan.mandate is None:
            when = (self.today, self.profile)
            plan.mandate, plan.mandate_is_new = self._new_mandate(plan, words, when), True
        elif plan.mandate.ended_on is None:
            _check_signed(plan.mandate, words)
            plan.otherwise = _otherwise(plan.mandate, words)

    def _new_mandate(
        self, plan: ClientPlan, words: MandateWords, when: tuple[date, Profile]
    ) -> MandateRow:
        in_force = None if plan.is_new else self.known.in_force(plan.subscriber)
        if in_force is not None:
            raise WordRefused(
                "reference",
                f"The mandate {in_force.reference} of this subscriber is in force",
                "Leave this one out, or end that one: "
                f"paquet mandate revoke {self.owner.name!r} {in_force.reference}",
            )
        wanted = WantedMandate(
            holder=words.holder,
            iban=words.iban,
            bank={"bic": words.bic} if words.bic else {},
            reference=words.reference or next(self.free),
            notice_days=words.notice_days or USUAL_DAYS,
            collected_before=words.last_collected_on,
        )
        row = mandates.new(self.owner, (plan.subscriber, plan.person), wanted, when)
        if words.signed_on:
            mandates.enter_signature(row, words.signed_on, "", when)
        return row

    def _subscription(self, plan: ClientPlan) -> None:
        """Plan the subscription of a line, unless it is there."""
        words = plan.line.subscription
        if words is None:
            return
        every = [] if plan.is_new else self.known.subscriptions_of[plan.subscriber.id]
        plan.subscription = next((each for each in every if _is_same(each, words)), None)
        if plan.subscription is not None:
            self._check_same(plan.subscription, words)
            return
        for each in every:
            if each.state != opening.ENDED:
                raise WordRefused(
                    "plan",
                    f"This subscriber has subscription {each.id} already, since {each.first_day}",
                    f"Change it there: paquet subscription change {each.id}",
                )
        plan.subscription, plan.subscription_is_new = self._new_subscription(plan, words), True

    def _new_subscription(self, plan: ClientPlan, words: SubscriptionWords) -> Subscription:
        sale, contract = self._sold(words)
        union_consumers.check_sale(self.session, contract.id, plan.person, words.first_day)
        subscription = opening.new(plan.subscriber, sale, contract, words.first_day)
        (version,) = subscription.versions
        terms = opening.version_of(version).wanted(plan.person.language)
        changes.check_words(self.catalogue, terms)
        return subscription

    def _sold(self, words: SubscriptionWords) -> Sold:
        """Return what is sold to all who have these words."""
        if words not in self.sold:
            sale = Sale(
                plan=plans.get(self.session, words.plan),
                seller=self.owner,
                supporter=self._supporter(words.supported_by),
                period=words.term,
                trial=not words.paid,
            )
            self.sold[words] = sale, opening.terms_on(self.session, sale, words.first_day)
        return self.sold[words]

    def _supporter(self, name: str) -> Organisation:
        if name not in self.organisations:
            try:
                self.organisations[name] = organisations.get(self.session, name)
            except PaquetError as wrong:
                raise WordRefused("supported_by", wrong.message, wrong.hint) from None
        return self.organisations[name]

    def _check_same(self, subscription: Subscription, words: SubscriptionWords) -> None:
        """Raise WordRefused where a line says otherwise how a subscription is sold."""
        versions = subscription.versions
        supporter = self._supporter(words.supported_by).id
        for word, known, wanted in (
            ("term", {version.period for version in versions}, words.term),
            ("supported_by", {version.contract.supporter_id for version in versions}, supporter),
        ):
            if wanted not in known:
                raise WordRefused(
                    word,
                    f"Subscription {subscription.id} is sold otherwise",
                    f"Change it there: paquet subscription change {subscription.id}",
                )


def word_of(wrong: PaquetError, otherwise: str) -> str:
    """Return the word at which it is told that something is refused."""
    return wrong.word if isinstance(wrong, WordRefused) else otherwise


def _is_same(subscription: Subscription, words: SubscriptionWords) -> bool:
    """Tell whether a subscription is the one of a line, as it was opened."""
    first = subscription.versions[0]
    return (subscription.first_day, first.plan.code) == (words.first_day, words.plan)


def _check_signed(row: MandateRow, words: MandateWords) -> None:
    """Raise WordRefused where a line says otherwise than what was signed, or enters half of it."""
    for word, known, said in (
        ("iban", row.iban, words.iban),
        ("signed_on", row.signed_on, words.signed_on),
        ("holder", row.holder, words.holder),
    ):
        if known and said and known != said:
            shown = masked(row.iban) if word == "iban" else known
            raise WordRefused(
                word,
                f"The mandate {row.reference} says {shown}",
                "For another one have a new mandate signed.",
            )
    if words.iban and not row.iban and not words.signed_on:
        raise WordRefused(
            "signed_on",
            f"The mandate {row.reference} is not signed",
            "Its account is entered with the day of the signature.",
        )


def _otherwise(row: MandateRow, words: MandateWords) -> dict[str, object]:
    """Return what a line says otherwise of a mandate, by the names of the row's columns."""
    said = {
        "signed_on": words.signed_on,
        "bic": words.bic,
        "notice_days": words.notice_days,
        "collected_before": words.last_collected_on,
    }
    return {name: value for name, value in said.items() if value and value != getattr(row, name)}
