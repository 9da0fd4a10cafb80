"""The reader's language on pages: a German's way through, the words for time, and that nothing leaks."""

import re
import threading
from datetime import date, timedelta

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from subscribers import links
from subscribers.forms import SignUpForm
from subscribers.models import Consent, Letter, Subscriber
from subscribers.schedule import MONDAY_TO_FRIDAY, Cadence, Schedule, clock, day_in_words, in_words, weekday_mask
from subscribers.signup import CONFIRM_WORDS, CONSENT_WORDS
from subscribers.views.pages import speak_to, token_page
from tests.conftest import NOW, carry_out_requests


def text(response: object) -> str:
    """A page without its line breaks; the spaces that keep words together stay."""
    return re.sub(r"[ \n]+", " ", response.content.decode())  # type: ignore[attr-defined]


def german(subscriber: Subscriber) -> Subscriber:
    Subscriber.objects.filter(pk=subscriber.pk).update(language="de")
    subscriber.refresh_from_db()
    return subscriber


def test_a_german_confirms_changes_and_leaves_in_german(
    client: Client, bob: Subscriber, choices: dict[str, object]
) -> None:
    path = reverse("confirm", args=[links.confirm_token(german(bob))])
    assert "Ja, schicken Sie mir den Newsletter" in text(client.get(path))
    page = client.post(path, follow=True)
    assert "Ihre erste Ausgabe kommt in wenigen Minuten, danach jeden Tag um 8\u00a0Uhr (Zeitzone: UTC)." in text(page)
    faulty = client.post(page.request["PATH_INFO"], choices | {"topics": ["astrologie"], "language": "de"})
    assert "Noch nicht gespeichert." in text(faulty)
    saved = client.post(page.request["PATH_INFO"], choices | {"language": "de"}, follow=True)
    assert "Gespeichert." in text(saved)
    left = client.post(reverse("leave", args=[bob.leave_key]), follow=True)
    assert "Sie sind abgemeldet" in text(left)
    assert "Lieber jede Woche schicken" in text(left)
    undone = client.post(left.request["PATH_INFO"], {"instead": "less_often"})
    assert "Sie erhalten den Newsletter jeden Montag um 8\u00a0Uhr (Zeitzone: Berlin)." in text(undone)


def test_consents_keep_the_words_that_the_person_saw(client: Client, bob: Subscriber) -> None:
    client.post(reverse("confirm", args=[links.confirm_token(german(bob))]))
    left = client.post(reverse("leave", args=[bob.leave_key]), follow=True)
    client.post(left.request["PATH_INFO"], {"instead": "less_often"})
    words = list(Consent.objects.filter(subscriber=bob).order_by("pk").values_list("words", flat=True))
    assert words == ["Ja, schicken Sie mir den Newsletter", "Abbestellen", "Lieber jede Woche schicken"]


@pytest.mark.parametrize(("page", "language"), [("", "en"), ("?language=de", "de")])
def test_a_sign_up_keeps_the_words_of_its_page(
    client: Client, form: dict[str, object], page: str, language: str
) -> None:
    client.post(reverse("subscribe") + page, form | {"language": "de"})
    carry_out_requests()
    with translation.override(language):
        assert Consent.objects.get(subscriber__email="carol@example.org").words == str(CONSENT_WORDS)


def test_the_form_is_answered_in_the_chosen_language(client: Client, form: dict[str, object]) -> None:
    answer = client.post(reverse("subscribe"), form | {"language": "de"}, follow=True)
    assert "Sehen Sie in Ihr Postfach" in text(answer)
    assert answer.redirect_chain == [("/subscribe/check-your-inbox/?language=de", 302)]
    again = client.post(reverse("subscribe"), form | {"language": "fr", "email": "carol"})
    assert "Cela ne ressemble pas à une adresse e-mail." in text(again)
    assert 'action="/subscribe/?language=fr"' in again.content.decode()


@pytest.mark.parametrize("query", ["", "?language=xx", "?language=", "?language=de-CH%00"])
def test_public_pages_are_english_whatever_the_browser_speaks(db: None, client: Client, query: str) -> None:
    for name in ("subscribe", "subscribed", "send_preferences_link", "preferences_link_sent"):
        answer = client.get(reverse(name) + query, headers={"Accept-Language": "de"})
        assert '<html lang="en" dir="ltr">' in text(answer)
        assert "Accept-Language" not in answer.headers.get("Vary", "")


def test_a_public_page_in_another_language_has_an_address_of_its_own(db: None, client: Client) -> None:
    answer = client.get(reverse("subscribe"), {"language": "fr"})
    assert '<html lang="fr" dir="ltr">' in text(answer)
    assert "Votre adresse e-mail" in text(answer)
    assert "/preferences/?language=fr" in text(answer)
    assert '<a class="chip" href="/subscribe/?language=de" lang="de" hreflang="de">Deutsch</a>' in text(answer)


def test_a_broken_link_is_answered_as_the_browser_speaks(client: Client) -> None:
    answer = client.get(reverse("leave", args=["x"]), headers={"Accept-Language": "fr-CH, fr;q=0.9, en;q=0.8"})
    assert "Ce lien ne fonctionne pas" in text(answer)
    assert "Ce lien est incomplet" in text(answer)


def test_an_expired_link_is_answered_in_the_reader_s_language(
    client: Client, alice: Subscriber, fixed_clock: time_machine.Traveller
) -> None:
    path = reverse("preferences", args=[links.preferences_token(german(alice))])
    fixed_clock.shift(links.PREFERENCES_FOR + timedelta(minutes=1))
    assert "Dieser Link ist zu alt" in text(client.get(path))


@token_page
def failing(request: HttpRequest, token: str) -> HttpResponse:
    """Speaks to a reader, and breaks."""
    speak_to(Subscriber(language=token))
    raise ZeroDivisionError


def test_a_page_that_breaks_leaves_no_language_behind() -> None:
    with pytest.raises(ZeroDivisionError):
        failing(RequestFactory().get("/"), "de")
    assert translation.get_language() == "en"


def test_a_page_leaves_no_language_behind(client: Client, alice: Subscriber) -> None:
    assert "Abbestellen" in text(client.get(reverse("leave", args=[german(alice).leave_key])))
    assert translation.get_language() == "en"


def test_requests_at_once_speak_each_their_own_language() -> None:
    all_here = threading.Barrier(3, timeout=10)
    heard: dict[str, str] = {}

    @token_page
    def page(request: HttpRequest, token: str) -> HttpResponse:
        speak_to(Subscriber(language=token))
        all_here.wait()
        return HttpResponse(gettext("Unsubscribe"))

    def visit(language: str) -> None:
        heard[language] = page(RequestFactory().get("/"), language).content.decode()

    threads = [threading.Thread(target=visit, args=[language]) for language in ("en", "de", "fr")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {"en": "Unsubscribe", "de": "Abbestellen", "fr": "Se désabonner"}


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        (
            "de",
            [
                "in wenigen Minuten",
                "heute um 13\u00a0Uhr",
                "morgen um 8\u00a0Uhr",
                "am Montag, dem 23. März, um 8\u00a0Uhr",
            ],
        ),
        (
            "fr",
            ["dans quelques minutes", "aujourd’hui à 13\u00a0h", "demain à 8\u00a0h", "le lundi 23 mars à 8\u00a0h"],
        ),
    ],
)
def test_moments_are_said_as_the_language_says_them(language: str, spoken: list[str]) -> None:
    with translation.override(language):
        hours = (0.1, 3, 22, 70)
        assert [in_words(NOW + timedelta(hours=one), NOW, "Europe/Berlin") for one in hours] == spoken


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        (
            "de",
            [
                "jeden Tag um 8\u00a0Uhr (Zeitzone: New York)",
                "jeden Montag um 8\u00a0Uhr (Zeitzone: New York)",
                "am Ersten jedes Monats um 8\u00a0Uhr (Zeitzone: New York)",
            ],
        ),
        (
            "fr",
            [
                "chaque jour à 8\u00a0h (fuseau horaire\u00a0: New York)",
                "chaque lundi à 8\u00a0h (fuseau horaire\u00a0: New York)",
                "le premier de chaque mois à 8\u00a0h (fuseau horaire\u00a0: New York)",
            ],
        ),
    ],
)
def test_a_rhythm_is_said_as_the_language_says_it(language: str, spoken: list[str]) -> None:
    with translation.override(language):
        assert [str(Schedule(cadence, 8, 1, "America/New_York")) for cadence in Cadence] == spoken


def test_chosen_days_are_said_as_the_language_says_them() -> None:
    some = [weekday_mask([1, 3, 5]), MONDAY_TO_FRIDAY]
    rhythms = [Schedule(Cadence.DAILY, 18, 1, "Europe/Paris", mask) for mask in some]
    with translation.override("de"):
        assert str(rhythms[0]).startswith("jeden Montag, Mittwoch und Freitag um 18\u00a0Uhr")
    with translation.override("fr"):
        assert str(rhythms[0]).startswith("chaque lundi, mercredi et vendredi à 18\u00a0h")
        assert str(rhythms[1]).startswith("du lundi au vendredi à 18\u00a0h")


def test_days_and_hours_are_written_as_the_language_writes_them() -> None:
    first, other = date(2026, 3, 1), date(2026, 3, 20)
    spoken = {}
    for language in ("en", "de", "fr"):
        with translation.override(language):
            spoken[language] = [day_in_words(first), day_in_words(other), day_in_words(other, "short"), clock(9, 5)]
    assert spoken == {
        "en": ["1 March 2026", "20 March 2026", "Fri 20 March", "9:05"],
        "de": ["1. März 2026", "20. März 2026", "Fr, 20. März", "9:05\u00a0Uhr"],
        "fr": ["1er mars 2026", "20 mars 2026", "ven. 20 mars", "9\u00a0h\u00a005"],
    }


@pytest.mark.parametrize(("language", "one", "many"), [("de", "1 Tag.", "3 Tagen."), ("fr", "1 jour.", "3 jours.")])
def test_counted_things_take_their_plural(language: str, one: str, many: str) -> None:
    with translation.override(language):
        for count, ending in ((1, one), (3, many)):
            words = (
                "We have sent an email to your present address and to the new one. Press the button in each, within "
            )
            said = translation.ngettext(f"{words}%(kept)s day.", f"{words}%(kept)s days.", count) % {"kept": count}
            assert said.endswith(ending)


def test_choices_and_faults_of_forms_follow_the_language(db: None) -> None:
    with translation.override("de"):
        form = SignUpForm({"email": "x", "cadence": "hourly", "local_hour": "8"})
        assert form.errors["email"] == ["Das sieht nicht wie eine E-Mail-Adresse aus."]
        assert dict(form.fields["cadence"].choices)["weekly"] == "jede Woche"  # type: ignore[attr-defined]
        assert dict(form.fields["local_hour"].choices)[8] == "8\u00a0Uhr"  # type: ignore[attr-defined]
    assert str(form.fields["cadence"].label) == "How often"


def test_what_is_said_by_nobody_in_particular_is_english() -> None:
    assert str(CONFIRM_WORDS) == "Yes, send me the digest"
    assert str(Letter.Kind.PREFERENCES.label) == "preferences link"
