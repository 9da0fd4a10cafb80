"""django-post_office: queued by its bulk call, sent by its own command with two processes."""

import time

from place import SMTP, Message, Report, configure, report

configure(["post_office"], EMAIL_BACKEND="post_office.EmailBackend", POST_OFFICE={"BACKENDS": {"default": SMTP}})

from post_office.mail import send_many, send_queued_mail_until_done  # noqa: E402 - its models need the settings

PROCESSES, AT_ONCE = 2, 500


def send(messages: list[Message]) -> Report:
    started = time.monotonic()
    for start in range(0, len(messages), AT_ONCE):
        send_many([wanted(one) for one in messages[start : start + AT_ONCE]])
    queued = time.monotonic()
    send_queued_mail_until_done(processes=PROCESSES)
    done = time.monotonic()
    return {"rate": len(messages) / (done - queued), "whole": len(messages) / (done - started)}


def wanted(one: Message) -> Message:
    return {
        "recipients": one["to"],
        "sender": one["from"],
        "subject": one["subject"],
        "message": one["text"],
        "html_message": one["html"],
        "headers": one["headers"],
    }


if __name__ == "__main__":
    report(send)
