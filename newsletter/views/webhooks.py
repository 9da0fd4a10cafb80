"""Where providers tell us what became of a mail: at anymail's usual addresses, for events only, never unsigned.

Each call carries WEBHOOK_SECRET by HTTP basic authentication, beside whatever signature the provider has, which anymail
checks. What anymail leaves out is checked here: that Mailgun's signature is fresh and new, and that Amazon's is one.
The answer is given as soon as the events are stored; a task applies them.
"""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, tracking
from anymail.utils import get_request_basic_auth
from anymail.webhooks import (
    amazon_ses,
    brevo,
    mailersend,
    mailgun,
    mailjet,
    mailtrap,
    mandrill,
    postal,
    postmark,
    resend,
    sendgrid,
    sparkpost,
    unisender_go,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DataError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter.delivery.feedback import sns
from subscribers.abuse.counting import hashed, seen, take
from subscribers.abuse.slots import Limit

log = logging.getLogger(__name__)


class AmazonEvents(amazon_ses.AmazonSESTrackingWebhookView):  # type: ignore[misc]  # anymail is not typed
    """Without boto3: what anymail uses it for, to confirm a subscription by itself, is not wanted here."""

    def __init__(self, **kwargs: Any) -> None:
        super(amazon_ses.AmazonSESBaseWebhookView, self).__init__(**kwargs)


class BrevoEvents(brevo.BrevoTrackingWebhookView):  # type: ignore[misc]
    """Also many events a call (https://developers.brevo.com/docs/batch-webhooks), which anymail cannot read."""

    def parse_events(self, request: HttpRequest) -> list[AnymailTrackingEvent]:
        told = json.loads(request.body)
        if not isinstance(told, list):
            return list(super().parse_events(request))
        events, faults = [], []
        for one in told:
            try:
                events.append(self.esp_to_anymail_event(one))
            except MALFORMED as error:
                faults.append(type(error).__name__)
        if faults:  # a caller's fault and none of ours: a line for all of them, as where a whole call cannot be read
            counts, kinds = (len(faults), len(told), self.esp_name), ", ".join(sorted(set(faults)))
            log.warning("%d of %d events of %s in one call cannot be read: %s", *counts, kinds)
        return events


class ResendEvents(resend.ResendTrackingWebhookView):  # type: ignore[misc]
    """Also what failed later (https://resend.com/docs/webhooks/emails/failed), which anymail does not know."""

    event_types: ClassVar = {**resend.ResendTrackingWebhookView.event_types, "email.failed": EventType.FAILED}


FRESH = timedelta(minutes=5)  # how old or early a signed time may be
VIEWS: dict[str, Any] = {
    "amazon_ses": AmazonEvents,
    "brevo": BrevoEvents,
    "mailersend": mailersend.MailerSendTrackingWebhookView,
    "mailgun": mailgun.MailgunTrackingWebhookView,
    "mailjet": mailjet.MailjetTrackingWebhookView,
    "mailtrap": mailtrap.MailtrapTrackingWebhookView,
    "mandrill": mandrill.MandrillCombinedWebhookView,
    "postal": postal.PostalTrackingWebhookView,
    "postmark": postmark.PostmarkTrackingWebhookView,
    "resend": ResendEvents,
    "sendgrid": sendgrid.SendGridTrackingWebhookView,
    "sparkpost": sparkpost.SparkPostTrackingWebhookView,
    "unisender_go": unisender_go.UnisenderGoTrackingWebhookView,
}
# What an event may break that no database can hold, and what a payload that is not the provider's in anymail's reading.
ODD = (ArithmeticError, ValueError, TypeError, DataError)
MALFORMED = (*ODD, AnymailError, LookupError, AttributeError, AssertionError, RecursionError)


def secrets() -> list[str]:
    """What a provider may authenticate with, each as user:password."""
    named: Any = settings.ANYMAIL.get("WEBHOOK_SECRET") or []
    return [named] if isinstance(named, str) else list(named)


def receiver(view: Any) -> Callable[[HttpRequest], HttpResponse]:
    """The view that takes one provider's events."""

    @csrf_exempt
    @require_http_methods(["POST", "HEAD"])
    def receive(request: HttpRequest) -> HttpResponse:
        if request.method == "HEAD":  # some ask whether anybody is there
            return HttpResponse()
        if not any(constant_time_compare(get_request_basic_auth(request), one) for one in secrets()):
            return turned_away("who calls is not known")
        try:
            provider = view()
            provider.setup(request)
            provider.run_validators(request)
            once = signed_once(request, provider)
            events = [] if is_no_event(request, provider) else provider.parse_events(request)
        except (AnymailWebhookValidationFailure, ImproperlyConfigured) as error:
            return turned_away(str(error))
        except MALFORMED as error:
            log.warning("a webhook of %s cannot be read: %s", view.esp_name, type(error).__name__)
            return HttpResponse("This is no event.\n", "text/plain", 400)
        with transaction.atomic():
            keep(events, view)
        if once:
            take([once], timezone.now())
        return HttpResponse()

    return receive


def keep(events: Sequence[AnymailTrackingEvent], view: Any) -> None:
    """Tell of these. One that holds what no provider tells takes none of the others along."""
    try:
        with transaction.atomic():
            for event in events:
                tracking.send(sender=view, event=event, esp_name=view.esp_name)
    except ODD:
        if len(events) > 1:
            for event in events:
                keep([event], view)
        else:
            log.exception("an event of %s cannot be kept", view.esp_name)


def turned_away(why: str) -> HttpResponse:
    log.warning("a webhook was turned away: %s", why)
    headers = {"WWW-Authenticate": 'Basic realm="webhooks"'}  # Amazon shows its own only when asked
    return HttpResponse("Not authenticated.\n", "text/plain", 401, headers=headers)


def signed_once(request: HttpRequest, provider: Any) -> Limit | None:
    """What to count a signature as, so that it is good for one call; for those whose signature leaves that open.

    Raises AnymailWebhookValidationFailure where it is stale, or was used. It counts only once the events are stored:
    a call that failed may come again.
    """
    if provider.esp_name == "Amazon SES":
        sns.verify(provider._parse_sns_message(request), timezone.now())
    if provider.esp_name != "Mailgun":
        return None
    signature = provider.parse_events(request)[0].esp_event
    signature = signature.get("signature", signature) if isinstance(signature, dict) else signature
    age = abs(timezone.now().timestamp() - float(signature["timestamp"]))
    if age > FRESH.total_seconds():
        raise AnymailWebhookValidationFailure("its signature is not fresh")
    once = Limit("webhook", hashed(signature["token"]), 1, 4 * FRESH)
    if seen(once, timezone.now()):
        raise AnymailWebhookValidationFailure("its signature was used before")
    return once


def is_no_event(request: HttpRequest, provider: Any) -> bool:
    """Amazon asks once whether its messages are wanted here: a person says so in its console."""
    if provider.esp_name != "Amazon SES":
        return False
    message = provider._parse_sns_message(request)
    if message["Type"] == "SubscriptionConfirmation":
        log.warning("Amazon SNS asks to confirm %s: do so in its console", message["TopicArn"])
    return bool(message["Type"] != "Notification")


urlpatterns = [path(f"{name}/tracking/", receiver(view), name=f"{name}_events") for name, view in VIEWS.items()]
