"""What readers change on their own pages, beyond what the sign-up form asks."""

import unicodedata
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from papers.models import Topic
from subscribers.addresses import LONGEST_INPUT, meant
from subscribers.forms import THROWN_AWAY, LastingAddressField, PreferencesForm, TopicsField, is_refused
from subscribers.models import Interest, Parting, Subscriber
from subscribers.schedule import days_in_words, listed
from subscribers.wishes import LISTS, Tastes, Wishes

LONGEST_VALUE = Interest._meta.get_field("value").max_length or 100
MOST_LINES = 50
LONGEST_PAUSE = timedelta(days=366)


class LinesField(forms.CharField):
    """One thing a line; the same thing twice, however it is written, is one."""

    widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off"})

    def clean(self, value: Any) -> tuple[str, ...]:
        lines = filter(None, (readable(line) for line in super().clean(value).splitlines()))
        kept = tuple({folded(line): line for line in lines}.values())
        if len(kept) > MOST_LINES:
            words = gettext("These are %(count)d lines. Keep the %(most)d that matter most.")
            raise ValidationError(words % {"count": len(kept), "most": MOST_LINES})
        for line in kept:
            if len(line) > LONGEST_VALUE:
                words = gettext("“%(line)s…” is too long: %(most)d characters a line at most.")
                raise ValidationError(words % {"line": line[:40], "most": LONGEST_VALUE})
        return kept


def readable(line: str) -> str:
    """A line in NFC, with single spaces and without signs that nobody sees."""
    seen = (sign if sign.isspace() or unicodedata.category(sign)[0] != "C" else "" for sign in line)
    return " ".join(unicodedata.normalize("NFC", "".join(seen)).split())


def folded(value: str) -> str:
    """What makes two values the same: neither case nor, for databases differ there, the dot over an i."""
    return value.casefold().replace("\u0307", "")


class ReaderForm(PreferencesForm):
    """Everything that the preferences page saves, and the version that it was made from."""

    muted_topics = TopicsField(
        required=False, error_messages={"invalid_choice": _("We have no topic “%(value)s”. Choose from the list.")}
    )
    follow_authors = LinesField(label=_("Authors to follow"), required=False)
    follow_phrases = LinesField(label=_("Words to follow"), required=False)
    mute_authors = LinesField(label=_("Authors to mute"), required=False)
    mute_phrases = LinesField(label=_("Words to mute"), required=False)
    rising = forms.BooleanField(label=_("Tell me once more when a paper that I got takes off"), required=False)
    language = forms.ChoiceField(
        label=_("Language of the mail"),
        choices=settings.LANGUAGES,
        error_messages={"invalid_choice": _("Choose a language from the list.")},
    )
    version = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        muted = self.fields["muted_topics"]
        assert isinstance(muted, TopicsField)  # noqa: S101 - for the type checker
        muted.choices = self.topics_field.choices

    @classmethod
    def present(cls, subscriber: Subscriber) -> dict[str, Any]:
        tastes = Tastes.of(subscriber)
        return {
            **super().present(subscriber),
            "muted_topics": [topic.slug for topic in tastes.muted_topics],
            "rising": tastes.rising,
            "version": subscriber.version,
            **{name: "\n".join(getattr(tastes, name)) for name in LISTS},
        }

    def muted(self) -> list[str]:
        """The slugs that are ticked to be muted."""
        return list(self["muted_topics"].value() or [])

    def clean_muted_topics(self) -> tuple[Topic, ...]:
        return tuple(self.known[slug] for slug in dict.fromkeys(self.cleaned_data["muted_topics"]))

    def clean(self) -> dict[str, Any]:
        """Nobody both follows and mutes one thing."""
        super().clean()
        both = set(self.cleaned_data.get("topics", ())) & set(self.cleaned_data.get("muted_topics", ()))
        if both:
            names = in_a_row(topic.spoken for topic in both)
            self.add_error("muted_topics", gettext("You chose %(names)s above. Choose or mute.") % {"names": names})
        for kind in Interest.Kind:
            followed = {folded(value): value for value in self.cleaned_data.get(f"follow_{kind}s", ())}
            muted = {folded(value) for value in self.cleaned_data.get(f"mute_{kind}s", ())}
            if twice := [value for key, value in followed.items() if key in muted]:
                words = gettext("You follow %(names)s above. Follow or mute.")
                self.add_error(f"mute_{kind}s", words % {"names": in_a_row(twice)})
        return self.cleaned_data

    def tastes(self) -> Tastes:
        """What to follow and to mute, once the form is valid."""
        return Tastes(**{name: self.cleaned_data[name] for name in ("muted_topics", "rising", *LISTS)})

    def is_of(self, subscriber: Subscriber) -> bool:
        """Whether the page was made from what is stored now."""
        return bool(self.cleaned_data["version"] == str(subscriber.version))

    def now_of(self, subscriber: Subscriber) -> None:
        """Keep what was typed, for the reader to save over what is stored now."""
        self.data = {**self.data, **{name: self[name].value() for name in self.fields}, "version": subscriber.version}

    def differences(self, subscriber: Subscriber) -> list[tuple[str, str, str]]:
        """Label, what is stored, what was typed: of everything in which they differ, once the form is valid."""
        stored = asdict(Wishes.of(subscriber)) | asdict(Tastes.of(subscriber))
        typed = asdict(self.wishes()) | asdict(self.tastes())
        asked = [name for name in stored if name in self.fields]
        pairs = ((name, self._said(name, stored[name]), self._said(name, typed[name])) for name in asked)
        return [(str(self[name].label), mine, other) for name, mine, other in pairs if mine != other]

    def _said(self, name: str, value: Any) -> str:
        if name == "weekdays":
            return days_in_words(value)
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        if name in {"topics", "muted_topics"}:
            value = [topic.spoken for topic in value]
        if isinstance(value, tuple | list):
            return listed(sorted(str(one) for one in value)) or gettext("nothing")
        return str(dict(getattr(self.fields[name], "choices", ())).get(value, value))


def in_a_row(names: Iterable[str]) -> str:
    return listed(gettext("“%(name)s”") % {"name": name} for name in sorted(names))


class PauseForm(forms.Form):
    """Until when to send nothing; without a date, until the reader says so."""

    until = forms.DateField(
        label=_("Until (the first day with mail again)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Type the date as 2026-12-31.")},
    )
    version = forms.CharField(required=False, max_length=10, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, today: date, version: int) -> None:
        super().__init__(data, initial={"version": version})
        self.today = today
        first, last = today + timedelta(days=1), today + LONGEST_PAUSE
        self.fields["until"].widget.attrs.update(min=first.isoformat(), max=last.isoformat())

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until and not self.today < until <= self.today + LONGEST_PAUSE:
            raise ValidationError(_("Choose a day from tomorrow on, within a year."))
        return until


class NewAddressForm(forms.Form):
    """Where the mail is to go instead."""

    email = LastingAddressField(label=_("New address"), max_length=LONGEST_INPUT)
    asked = forms.CharField(required=False, widget=forms.HiddenInput)  # the address of which we asked if it is right

    def __init__(self, data: Any = None, *, present: str) -> None:
        super().__init__(data)
        self.present = present

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if email == self.present:
            raise ValidationError(_("Your mail goes to this address already."))
        if self.data.get("asked") == email and is_refused(email):
            raise ValidationError(THROWN_AWAY)
        if (likelier := meant(email)) and self.data.get("asked") != email:
            self.data = {**self.data, "email": email, "asked": email}
            question = _("Did you mean %(address)s? If yours is right as you typed it, press once more.")
            raise ValidationError(question, params={"address": likelier})
        return email


class PartingForm(forms.Form):
    """Why somebody left, if they like to say."""

    reason = forms.ChoiceField(
        label=_("The reason"),
        choices=Parting.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these."), "invalid_choice": _("Choose one of these.")},
    )
    words = forms.CharField(label=_("In your words, if you like"), required=False, max_length=300)
