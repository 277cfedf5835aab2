"""Where things come in: mails through admission, SMS and receipts through intake, bounces through returns."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge import notices, routing
from bridge.access import scram, tokens
from bridge.access.credentials import Credentials
from bridge.access.throttle import Throttle
from bridge.admission import Admission
from bridge.answering import Manners
from bridge.ground import Ground
from bridge.intake import Intake
from bridge.logins import Logins, Proof
from bridge.mailbox_door.reception import Reception
from bridge.returns import Returns
from bridge.routing import Routes
from bridge.rulings import Rulings
from bridge.sorter import Sorter
from bridge.store.inbox import Inbox
from bridge.store.outbox import Outbox
from bridge.store.watched import Watched
from bridge.trials import Trials


class Entrances:
    """The rooms that take things in; what they make of them, stations carry on."""

    def __init__(self, ground: Ground) -> None:
        """Raises SettingsError for routes that lead nowhere."""
        routes = routing.configured(ground.settings, {name: each.traits for name, each in ground.gateways.items()})
        credentials = Credentials()
        self.logins = _logins(ground, credentials)
        self.outbox = _outbox(ground)
        self.returns = Returns(
            ground.mails,
            ground.store.directory,
            settings=ground.settings,
            key=ground.bounce_key,
            sign=ground.sign,
            mailed=ground.bells.mailed,
        )
        self.intake = _intake(ground, routes)
        self.admission = _admission(ground, routes, credentials, self.outbox)
        self.watched = Watched(ground.store.engine, ground.store.committer)
        self.reception = _reception(ground, self.admission, self.watched)


def _logins(ground: Ground, credentials: Credentials) -> Logins:
    store = ground.store

    async def used(proof: Proof, mark: str, at: datetime) -> None:
        await (store.certificates if proof is Proof.CERTIFICATE else store.passwords).used(mark, at)

    return Logins(
        store.directory,
        credentials,
        Throttle(),
        salts=store.key.derived(scram.SALTS),
        scram=ground.settings.smtp.scram,
        used=used,
        tokens=tokens.configured(ground.settings),
    )


def _outbox(ground: Ground) -> Outbox:
    settings, store, sign = ground.settings, ground.store, ground.sign
    return Outbox(
        store.committer,
        store.key,
        settings.sending.resubmission_window,
        conversation_window=timedelta(days=settings.replies.window_days),
        late_after=timedelta(seconds=settings.reports.late_after),
        tell=lambda mail, signature_id: sign(notices.learned(mail, signature_id, settings.domain)),
        mailed=ground.bells.mailed,
    )


def _intake(ground: Ground, routes: Routes) -> Intake:
    store, replies = ground.store, ground.settings.replies
    return Intake(
        Inbox(store.committer, store.key, ground.settings.reports.wait, store.filing, history=replies.history),
        store.directory,
        decide=_sorter(ground, routes).decide,
        settled=ground.bells.settled,
        mailed=ground.bells.mailed,
        texted=ground.bells.texted,
        posted=ground.bells.posted,
    )


def _sorter(ground: Ground, routes: Routes) -> Sorter:
    replies = ground.settings.replies
    return Sorter(
        ground.store.directory,
        domain=ground.settings.domain,
        settings=replies,
        sign=ground.sign,
        bounce_key=ground.bounce_key,
        routes=routes,
        manners=Manners(
            limit=replies.automatic_texts,
            orders=replies.confirm_orders,
            answered_by=frozenset(name for name, each in ground.gateways.items() if each.traits.answers_orders),
        ),
        through=ground.settings.answers_through,
    )


def _admission(ground: Ground, routes: Routes, credentials: Credentials, outbox: Outbox) -> Admission:
    settings, store, bells, sign = ground.settings, ground.store, ground.bells, ground.sign
    return Admission(
        outbox,
        store.directory,
        domains={settings.domain},
        routes=routes,
        credentials=credentials,
        taken=bells.texted,
        trials=Trials(ground.mails, domain=settings.domain, mailed=bells.mailed, sign=sign),
        rulings=Rulings(
            store.decisions,
            store.directory,
            domain=settings.domain,
            mailed=bells.mailed,
            decided=bells.texted,
            sign=sign,
        ),
        threads=store.threads,
        beyond_thread=settings.replies.beyond_thread,
    )


def _reception(ground: Ground, admission: Admission, watched: Watched) -> Reception:
    return Reception(
        admission,
        ground.store.directory,
        watched,
        domain=ground.settings.domain,
        fallback=ground.settings.replies.fallback,
        sign=ground.sign,
        mailed=ground.bells.mailed,
        keyed=ground.store.key.hash,
    )
