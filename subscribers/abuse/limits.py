"""Which limits there are. How high they stand is said by the SIGNUP_ settings; docs/abuse.md explains them."""

from datetime import datetime, timedelta

from django.conf import settings

from subscribers.abuse.counting import hashed, take
from subscribers.abuse.slots import Limit
from subscribers.addresses import domain_of
from subscribers.letters import A_DAY
from subscribers.models import Letter, SubscriptionRequest

Reason = SubscriptionRequest.Reason
HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=30)


def before_proof(network: str) -> Limit:
    """Past it, a network's requests take a proof of work."""
    return Limit("soft", hashed(network), settings.SIGNUP_SOFT_PER_HOUR, HOUR)


def posts(network: str) -> Limit:
    """Past it, a network is turned away for today."""
    return Limit("posts", hashed(network), settings.SIGNUP_POSTS_PER_DAY, DAY)


def moves(network: str) -> Limit:
    """How many new addresses readers of one network name."""
    return Limit("moves", hashed(network), settings.MOVES_PER_NETWORK, DAY)


def letter_limits(request: SubscriptionRequest, letter: Letter) -> list[Limit]:
    """What a letter that a stranger caused counts towards, named by the reason for holding it."""
    domain = domain_of(request.email)
    kind = Letter.Kind(letter.kind)
    a_day = A_DAY[kind]
    limits = [
        Limit(Reason.NETWORK, hashed(request.network), settings.SIGNUP_LETTERS_PER_NETWORK, HOUR),
        Limit(Reason.MAILBOX, f"day:{kind}:{request.mailbox}", a_day, DAY),
        Limit(Reason.MAILBOX, f"month:{kind}:{request.mailbox}", a_day * settings.SIGNUP_LETTERS_PER_MAILBOX, MONTH),
        Limit(Reason.DOMAIN, hashed(domain), to_domain(domain), HOUR),
        Limit(Reason.EVERYBODY, "all", settings.SIGNUP_LETTERS_PER_HOUR, HOUR),
    ]
    if request.was_held:
        limits.append(Limit(Reason.RELEASED, "all", settings.SIGNUP_RELEASED_PER_HOUR, HOUR))
    return limits


def hindrance(request: SubscriptionRequest, letter: Letter, at: datetime) -> SubscriptionRequest.Reason | None:
    """Why this letter should not go out yet; None where it may, and is counted."""
    full = take(letter_limits(request, letter), at)
    return Reason(full.name) if full else None


def to_domain(domain: str) -> int:
    """How many letters an hour: the large providers have many people."""
    is_big = domain in settings.SIGNUP_BIG_DOMAINS
    return settings.SIGNUP_LETTERS_PER_BIG_DOMAIN if is_big else settings.SIGNUP_LETTERS_PER_DOMAIN
