"""django-newsletter, which sends everybody the same: the first message's cards as its articles, rendered by it."""

import time

from place import SMTP, Message, Report, configure, report

APPS = ["django.contrib.sites", "django.contrib.admin", "django.contrib.messages", "sorl.thumbnail", "newsletter"]
configure(APPS, EMAIL_BACKEND=SMTP, SITE_ID=1, ROOT_URLCONF="newsletter.urls", NEWSLETTER_THUMBNAIL="sorl-thumbnail")

from newsletter.models import Article, Newsletter, Submission, Subscription  # noqa: E402 - they need the settings
from newsletter.models import Message as Issue  # noqa: E402

CARDS = 10


def send(messages: list[Message]) -> Report:
    first = messages[0]
    papers = Newsletter.objects.create(title="Papers", slug="papers", email="papers@papers.example", sender="Papers")
    Subscription.objects.bulk_create(
        Subscription(newsletter=papers, email_field=one["to"], subscribed=True, activation_code=str(number))
        for number, one in enumerate(messages)
    )
    issue = Issue.objects.create(newsletter=papers, title=first["subject"], slug="issue")
    size = len(first["html"]) // CARDS + 1
    for number in range(CARDS):
        text = first["html"][number * size : (number + 1) * size]
        Article.objects.create(post=issue, title=f"Paper {number}", text=text, sortorder=number)
    submission = Submission.from_message(issue)
    started = time.monotonic()
    submission.submit()
    return {"rate": len(messages) / (time.monotonic() - started)}


if __name__ == "__main__":
    report(send)
