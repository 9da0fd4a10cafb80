"""What each provider posts, in the shape that it documents: a few lines by hand, of one mail of ours."""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from newsletter.delivery.feedback import sns
from tests.conftest import NOW

SECRET = "papers:only-for-tests"
POSTAL_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
AMAZON_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
MANDRILL_URL = "https://papers.example/anymail/mandrill/tracking/"
TS = int(NOW.timestamp())
ISO = "2026-03-20T09:00:00Z"
ADDRESS = "alice@example.org"
KINDS = ("delivered", "hard", "soft", "complained")


@dataclass
class Call:
    """One post to a webhook."""

    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def as_json(payload: Any, **headers: str) -> Call:
    return Call(json.dumps(payload).encode(), headers=headers)


def postmark(kind: str, uid: str) -> Call:
    types = {"hard": "HardBounce", "soft": "SoftBounce", "complained": "SpamComplaint"}
    common = {"MessageID": "883953f4", "Metadata": {"digest": uid}}
    if kind == "delivered":
        return as_json({"RecordType": "Delivery", "Recipient": ADDRESS, "DeliveredAt": ISO, **common})
    record = "SpamComplaint" if kind == "complained" else "Bounce"
    return as_json({"RecordType": record, "ID": 42, "Type": types[kind], "Email": ADDRESS, "BouncedAt": ISO, **common})


def brevo(kind: str, uid: str) -> Call:
    event = {"hard": "hard_bounce", "soft": "soft_bounce", "complained": "spam"}.get(kind, kind)
    custom = json.dumps({"digest": uid})
    return as_json(
        {"event": event, "email": ADDRESS, "ts_epoch": TS * 1000, "message-id": "<2@mail>", "X-Mailin-custom": custom}
    )


def mailgun(kind: str, uid: str, token: str = "a" * 50, at: int = TS) -> Call:
    event = {"hard": "failed", "soft": "failed"}.get(kind, kind)
    data = {
        "event": event,
        "id": f"CPgfbmQMTCKtHW6uIWtuVe-{kind}",
        "timestamp": TS + 0.5,
        "recipient": ADDRESS,
        "user-variables": {"digest": uid},
        "message": {"headers": {"message-id": "20130503182626.18666.16540@mail"}},
    }
    if kind in {"hard", "soft"}:
        data |= {"severity": {"hard": "permanent", "soft": "temporary"}[kind], "reason": "bounce"}
    signed = hmac.new(b"mailgun-key", f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    return as_json({"signature": {"timestamp": str(at), "token": token, "signature": signed}, "event-data": data})


def sendgrid(kind: str, uid: str) -> Call:
    event = {"hard": "bounce", "soft": "bounce", "complained": "spamreport"}.get(kind, kind)
    more = {"type": {"hard": "bounce", "soft": "blocked"}[kind]} if kind in {"hard", "soft"} else {}
    named = {"sg_event_id": f"ZGVsaXZlcmVk-{kind}", "smtp-id": "<14c5d75ce93@geopod>"}
    return as_json([{"event": event, "email": ADDRESS, "timestamp": TS, "digest": uid, **named, **more}])


def resend(kind: str, uid: str) -> Call:
    event = {"hard": "bounced", "soft": "bounced"}.get(kind, kind)
    data: dict[str, Any] = {
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "to": [ADDRESS],
        "headers": [{"name": "X-Metadata", "value": json.dumps({"digest": uid})}],
    }
    if event == "bounced":
        message = "The recipient's email provider sent a hard bounce message."
        data["bounce"] = {"message": message, "type": {"hard": "Permanent", "soft": "Transient"}[kind]}
    return as_json({"type": f"email.{event}", "created_at": ISO, "data": data}, HTTP_SVIX_ID=f"msg_{kind}")


def sparkpost(kind: str, uid: str) -> Call:
    event = {"delivered": "delivery", "hard": "bounce", "soft": "bounce", "complained": "spam_complaint"}[kind]
    more = {"bounce_class": {"hard": "10", "soft": "22"}[kind]} if event == "bounce" else {}
    message = {"type": event, "event_id": f"92356927693813856-{kind}", "timestamp": str(TS), "raw_rcpt_to": ADDRESS}
    named = {"transmission_id": "65832150921904138", "rcpt_meta": {"digest": uid}}
    return as_json([{"msys": {"message_event": {**message, **named, **more}}}])


def mailjet(kind: str, uid: str) -> Call:
    event = {"delivered": "sent", "hard": "bounce", "soft": "bounce", "complained": "spam"}[kind]
    more = {"hard_bounce": kind == "hard", "error": "user unknown"} if event == "bounce" else {}
    payload = json.dumps({"digest": uid})
    return as_json({"event": event, "time": TS, "MessageID": 19421777, "email": ADDRESS, "Payload": payload, **more})


def mandrill(kind: str, uid: str) -> Call:
    event = {"delivered": "send", "hard": "hard_bounce", "soft": "soft_bounce", "complained": "spam"}[kind]
    message = {"email": ADDRESS, "metadata": {"digest": uid}}
    events = json.dumps([{"event": event, "ts": TS, "_id": "exampleaaa", "msg": message}])
    text = f"{MANDRILL_URL}mandrill_events{events}"
    signed = b64encode(hmac.new(b"mandrill-key", text.encode(), hashlib.sha1).digest()).decode()
    body = urlencode({"mandrill_events": events}).encode()
    return Call(body, "application/x-www-form-urlencoded", {"HTTP_X_MANDRILL_SIGNATURE": signed})


def mailtrap(kind: str, uid: str) -> Call:
    event = {"delivered": "delivery", "hard": "bounce", "soft": "soft bounce", "complained": "spam"}[kind]
    named = {"message_id": "4c2446b6", "event_id": f"bede7236-{kind}", "custom_variables": {"digest": uid}}
    return as_json({"events": [{"event": event, "timestamp": TS, "email": ADDRESS, **named}]})


def mailersend(kind: str, uid: str) -> Call:
    """It repeats no metadata: the mail is found by the id that it gave when it took it."""
    event = {"hard": "hard_bounced", "soft": "soft_bounced", "complained": "spam_complaint"}.get(kind, kind)
    email = {"message": {"id": "62fb66bef54a112e920b5493"}, "recipient": {"email": ADDRESS}}
    call = as_json(
        {
            "type": f"activity.{event}",
            "data": {"id": f"62f114f8-{kind}", "type": event, "created_at": ISO, "email": email},
        }
    )
    signed = hmac.new(b"mailersend-secret", call.body, hashlib.sha256).hexdigest()
    return Call(call.body, headers={"HTTP_SIGNATURE": signed})


def postal(kind: str, uid: str) -> Call:
    """It repeats our own Message-ID."""
    message = {"id": 12345, "message_id": f"{uid}@papers.example", "to": ADDRESS, "direction": "outgoing"}
    status = {"delivered": "Sent", "hard": "HardFail", "soft": "SoftFail"}[kind]
    call = as_json({"uuid": f"0d-{kind}", "timestamp": TS, "payload": {"status": status, "message": message}})
    signed = b64encode(POSTAL_KEY.sign(call.body, padding.PKCS1v15(), hashes.SHA1())).decode()
    return Call(call.body, headers={"HTTP_X_POSTAL_SIGNATURE": signed})


def unisender_go(kind: str, uid: str) -> Call:
    status = {"hard": "hard_bounced", "soft": "soft_bounced", "complained": "spam"}.get(kind, kind)
    data = {
        "event_name": "transactional_email_status",
        "status": status,
        "job_id": "1a3Q2V-0000OZ-S0",
        "email": ADDRESS,
        "event_time": "2026-03-20 09:00:00",
        "metadata": {"digest": uid},
    }
    text = json.dumps({"auth": "unisender-key", **data})
    return Call(text.replace("unisender-key", hashlib.md5(text.encode()).hexdigest()).encode())


def amazon_ses(kind: str, uid: str, url: str = CERTIFICATE, **changes: str) -> Call:
    name = {"delivered": "Delivery", "hard": "Bounce", "soft": "Bounce", "complained": "Complaint"}[kind]
    about: dict[str, Any] = {"recipients": [ADDRESS], "complainedRecipients": [{"emailAddress": ADDRESS}]}
    if name == "Bounce":
        kinds = {"bounceType": {"hard": "Permanent", "soft": "Transient"}[kind], "bounceSubType": "General"}
        about = {**kinds, "bouncedRecipients": [{"emailAddress": ADDRESS}]}
    headers = [{"name": "X-Metadata", "value": json.dumps({"digest": uid})}]
    mail = {"messageId": "00000137860315fd", "destination": [ADDRESS], "headers": headers}
    message = {
        "Type": "Notification",
        "MessageId": f"22b80b92-fdea-{kind}",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:ses",
        "Message": json.dumps({"eventType": name, "mail": mail, name.lower(): about}),
        "Timestamp": ISO,
        "SignatureVersion": "2",
        "SigningCertURL": url,
    }
    signed = AMAZON_KEY.sign(sns.canonical(message), padding.PKCS1v15(), hashes.SHA256())
    message |= {"Signature": b64encode(signed).decode(), **changes}
    names = {"HTTP_X_AMZ_SNS_MESSAGE_TYPE": message["Type"], "HTTP_X_AMZ_SNS_MESSAGE_ID": message["MessageId"]}
    return as_json(message, **names)


PROVIDERS: dict[str, Callable[[str, str], Call]] = {
    one.__name__: one
    for one in (
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
}
