"""What readers type, made into wishes. Anything else is answered in words."""

from collections.abc import Iterable
from typing import Any, Self

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.functional import lazy
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from papers.models import Topic
from subscribers.addresses import LONGEST_INPUT, clean_address, is_disposable, meant
from subscribers.models import Subscriber, Weekday, validate_zone
from subscribers.schedule import (
    EVERY_DAY,
    MONDAY_TO_FRIDAY,
    Cadence,
    clock,
    known_zones,
    place_of,
    weekday_mask,
    weekdays_in,
)
from subscribers.signup import CONSENT_WORDS
from subscribers.wishes import Wishes

clock_later = lazy(clock, str)
HOURS = [(hour, clock_later(hour)) for hour in range(24)]
SLUG_LENGTH = 80  # more than the longest
CHOSEN_DAYS = "weekdays"  # the daily cadence, on some days only
RHYTHMS = [Cadence.choices[0], (CHOSEN_DAYS, _("chosen days")), *Cadence.choices[1:]]
DAYS = [(day.value, WEEKDAYS_ABBR[day - 1]) for day in Weekday]
SIZES = [(size, str(size)) for size in range(1, 21)]
LONGEST_LIST = 5000  # characters: fifty links to papers with room between them


class ShortField(forms.CharField):
    """What was typed is shown again with its fault, but no more of it than anybody means."""

    def prepare_value(self, value: Any) -> Any:
        return value[:LONGEST_INPUT] if isinstance(value, str) else value


class AddressField(ShortField):
    """One address, in the form we store. Spaces around it are nobody's fault; line ends are no part of any."""

    widget = forms.EmailInput(attrs={"autocomplete": "email", "placeholder": "you@lab.org"})

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)  # Django's takes every line end, also Unicode's, before we look

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).strip(" ")

    def clean(self, value: Any) -> str:
        return clean_address(super().clean(value))


class LastingAddressField(AddressField):
    """An address to mail for a long time: one that is thrown away is refused where the operator wants it so."""

    def clean(self, value: Any) -> str:
        email = super().clean(value)
        # A slip of a common domain may be somebody's throwaway domain: then the form asks first.
        if is_refused(email) and meant(email) is None:
            raise ValidationError(THROWN_AWAY)
        return email


THROWN_AWAY = _("This address is made to be thrown away. Please give one that you will keep.")


def is_refused(email: str) -> bool:
    return settings.DISPOSABLE_ADDRESSES == "refuse" and is_disposable(email)


class ZoneField(ShortField):
    """An IANA time zone. Empty, as it comes without JavaScript, it is UTC."""

    def clean(self, value: Any) -> str:
        zone = super().clean(value) or "UTC"
        try:
            validate_zone(zone)
        except ValidationError as error:
            words = gettext("“%(name)s” is not an IANA time zone. Choose yours from the list.")
            raise ValidationError(words % {"name": zone}) from error
        return zone


class TopicsField(forms.MultipleChoiceField):
    """Slugs; what is longer than any is cut, so that its fault can be told."""

    def to_python(self, value: Any) -> list[str]:
        return [slug[:SLUG_LENGTH] for slug in super().to_python(value)]


class WishesForm(forms.Form):
    """Topics, cadence and hour; the zone's field differs from form to form."""

    topics = TopicsField(
        required=False, error_messages={"invalid_choice": _("We have no topic “%(value)s”. Choose from the list.")}
    )
    cadence = forms.TypedChoiceField(
        label=_("How often"),
        choices=RHYTHMS,
        initial=Cadence.DAILY.value,
        error_messages={"invalid_choice": _("Choose every day, chosen days, every week or every month.")},
    )
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Days"),
        choices=DAYS,
        coerce=int,
        required=False,
        initial=weekdays_in(MONDAY_TO_FRIDAY),
        error_messages={"invalid_choice": _("Choose days of the week.")},
    )
    local_hour = forms.TypedChoiceField(
        label=pgettext_lazy("at which hour", "At"),
        choices=HOURS,
        coerce=int,
        initial=8,
        error_messages={"invalid_choice": _("Choose an hour from 0:00 to 23:00.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {topic.slug: topic for topic in Topic.objects.all()}
        self.topics_field.choices = [(slug, topic.spoken) for slug, topic in self.known.items()]

    @property
    def topics_field(self) -> forms.MultipleChoiceField:
        field = self.fields["topics"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - for the type checker
        return field

    def chosen(self) -> list[str]:
        """The slugs that are ticked now."""
        return list(self["topics"].value() or [])

    def groups(self) -> dict[str, list[Topic]]:
        """The topics under the headings by which people find them."""
        fields: dict[str, list[Topic]] = {}
        for topic in self.known.values():
            fields.setdefault(topic.spoken_field, []).append(topic)
        return fields

    def clean_topics(self) -> tuple[Topic, ...]:
        return tuple(self.known[slug] for slug in dict.fromkeys(self.cleaned_data["topics"]))

    def clean_weekdays(self) -> int:
        return weekday_mask(self.cleaned_data["weekdays"])

    def clean(self) -> dict[str, Any]:
        """A rhythm of chosen days is the daily one with fewer days; the others know nothing of days."""
        super().clean()
        if self.cleaned_data.get("cadence") != CHOSEN_DAYS:
            self.cleaned_data["weekdays"] = EVERY_DAY
        elif self.cleaned_data.get("weekdays") == 0:
            self.add_error("weekdays", _("Choose at least one day, or another rhythm."))
        else:
            self.cleaned_data["cadence"] = Cadence.DAILY
        return self.cleaned_data

    def chosen_days(self) -> set[str]:
        """The days that are ticked now."""
        return {str(day) for day in self["weekdays"].value() or []}

    def wishes(self) -> Wishes:
        """What was asked for, once the form is valid."""
        given = {name: self.cleaned_data[name] for name in self.cleaned_data if name in WISHES}
        return Wishes(**given)


WISHES = frozenset(Wishes.__dataclass_fields__)


class SignUpForm(WishesForm):
    """The box on the home page. `website` is a trap: people do not see it, and what fills it in is no person."""

    email = LastingAddressField(label=_("Your email address"), max_length=LONGEST_INPUT)
    zone = ZoneField(required=False, max_length=64, widget=forms.HiddenInput)
    digest_size = forms.TypedChoiceField(
        label=_("Papers, at most"),
        choices=SIZES,
        coerce=int,
        required=False,
        initial=5,
        error_messages={"invalid_choice": _("Choose how many papers from the list.")},
    )
    language = forms.ChoiceField(
        label=_("Language of the mail"),
        choices=settings.LANGUAGES,
        required=False,
        initial="en",
        error_messages={"invalid_choice": _("Choose a language from the list.")},
    )
    papers = forms.CharField(
        label=_("Papers you like"),
        required=False,
        max_length=LONGEST_LIST,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "2401.01234, arxiv.org/abs/…"}),
    )
    asked = forms.CharField(required=False)  # the address of which we asked whether it is right
    website = forms.CharField(required=False)

    consent_words = CONSENT_WORDS
    # How the summaries of topics and schedule are said, here and in site.js.
    best = _("the best of everything")
    # Translators: the words in braces stay as they are; {hour} is a time of day, such as "8:00".
    in_short = _("{cadence} at {hour}, {place} · {size} papers")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proposed: list[tuple[Topic, int]] = []

    @property
    def is_trapped(self) -> bool:
        return bool(self.data.get("website"))

    def clean_digest_size(self) -> int:
        return int(self.cleaned_data["digest_size"] or self.fields["digest_size"].initial)

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if self.data.get("asked") == email and is_refused(email):
            raise ValidationError(THROWN_AWAY)
        return email

    def clean_language(self) -> str:
        return str(self.cleaned_data["language"] or self.fields["language"].initial)

    def likelier(self) -> str | None:
        """The address that was more likely meant; None where there is none, or where we have asked already."""
        email = str(self.cleaned_data["email"])
        return None if self.data.get("asked") == email else meant(email)

    def carried(self) -> list[tuple[str, str]]:
        """Everything that was typed but the address, for another form to carry on. Only of a valid form."""
        typed = {name: self[name].data for name in sorted(self.fields.keys() - {"email", "asked", "website"})}
        lists = {name: value if isinstance(value, list) else [value or ""] for name, value in typed.items()}
        return [(name, value) for name, values in lists.items() for value in values]

    def again(self, proposed: Iterable[tuple[Topic, int]] = (), ticked: Iterable[Topic] = ()) -> Self:
        """A fresh form with everything that was typed, and no word yet on what is wrong with it.

        Each proposed topic comes with the number of papers that speak for it; some of them are ticked.
        """
        pairs = [(self.known[topic.slug], papers) for topic, papers in proposed if topic.slug in self.known]
        typed = {name: self[name].value() for name in self.fields if name in self.data}
        form = type(self)(initial=typed | {"topics": [*self.chosen(), *(topic.slug for topic in ticked)]})
        form.proposed = pairs
        return form

    def groups(self) -> dict[str, list[Topic]]:
        """Without what is proposed: that stands above."""
        above = {topic.slug for topic, _ in self.proposed}
        groups = super().groups().items()
        below = {heading: [topic for topic in topics if topic.slug not in above] for heading, topics in groups}
        return {heading: topics for heading, topics in below.items() if topics}

    def chosen_names(self) -> str:
        """The chosen topics in a row; what one gets without any."""
        names = [topic.spoken for slug, topic in self.known.items() if slug in self.chosen()]
        return ", ".join(names) or str(self.best)

    def summary(self) -> str:
        """When and how much, in a line."""
        said = {name: self._said(name) for name in ("cadence", "local_hour", "digest_size")}
        line = self.in_short.format(
            cadence=said["cadence"],
            hour=said["local_hour"],
            place=place_of(str(self["zone"].value() or "UTC")),
            size=said["digest_size"],
        )
        return line[:1].upper() + line[1:]

    def _said(self, name: str) -> str:
        """The words of a choice; of what is no choice, those of the usual one."""
        field = self.fields[name]
        words = {str(value): str(label) for value, label in getattr(field, "choices", ())}
        return words.get(str(self[name].value()), words[str(field.initial)])

    def is_scheduled_wrong(self) -> bool:
        """Whether something within the folded choices is to be looked at."""
        return any(name in self.errors for name in ("cadence", "weekdays", "local_hour", "digest_size", "language"))


class PreferencesForm(WishesForm):
    """Everything a reader can choose."""

    weekday = forms.TypedChoiceField(
        label=_("Day, for the weekly digest"),
        choices=Weekday.choices,
        coerce=int,
        error_messages={"invalid_choice": _("Choose a day of the week.")},
    )
    zone = ZoneField(label=_("Time zone"), max_length=64)
    digest_size = forms.TypedChoiceField(
        label=_("Papers in a digest, at most"),
        choices=SIZES,
        coerce=int,
        error_messages={"invalid_choice": _("Choose how many papers from the list.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        present = str(self["zone"].value() or "UTC")
        self.fields["zone"].widget = forms.Select(choices=[(zone, zone) for zone in zones(present)])

    @classmethod
    def of(cls, subscriber: Subscriber, data: Any = None) -> Self:
        """Filled in with what the reader gets now."""
        return cls(data, initial=cls.present(subscriber))

    @classmethod
    def present(cls, subscriber: Subscriber) -> dict[str, Any]:
        """What the reader gets now, as the fields say it."""
        wishes = Wishes.of(subscriber)
        some_days = wishes.cadence == Cadence.DAILY and wishes.weekdays != EVERY_DAY
        rhythm = {"cadence": CHOSEN_DAYS, "weekdays": weekdays_in(wishes.weekdays)} if some_days else {}
        topics = [topic.slug for topic in wishes.topics]
        return {**wishes.columns(), "topics": topics, "weekdays": weekdays_in(MONDAY_TO_FRIDAY), **rhythm}


class AddressForm(forms.Form):
    """Just an address, to mail a link to."""

    email = AddressField(label=_("Your email address"), max_length=LONGEST_INPUT)


def zones(present: str) -> list[str]:
    """The zones that people live in, and whichever they have now."""
    lived_in = {zone for zone in known_zones() if "/" in zone and not zone.startswith("Etc/")}
    return sorted(lived_in | {"UTC"} | ({present} & known_zones()))
