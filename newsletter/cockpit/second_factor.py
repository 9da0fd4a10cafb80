"""The second factor at the admin's door: a code from an authenticator app (TOTP, RFC 6238).

Who has none yet sets it up at the first sign-in: the key waits in the page, signed, and is stored once a code of it has
come back. A lost phone: another owner deletes the device in the admin, or
`manage.py addstatictoken NAME` gives a code that works once.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import segno
from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import devices_for_user, login, match_token
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import INPUT_CLASSES

NAME = "authenticator app"
SALT = "second factor"
SET_UP_WITHIN = timedelta(hours=1)  # of seeing the key


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=16,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "class": " ".join(INPUT_CLASSES)}
        ),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).replace(" ", "")


def address(request: HttpRequest) -> str:
    """The page of the second factor, which leads on to where this request wanted to go."""
    goal = request.GET.get("next", request.path)
    return f"{reverse('admin:second_factor')}?{urlencode({'next': goal})}"


@never_cache
@sensitive_post_parameters()
def prove(request: HttpRequest) -> HttpResponse:
    """Asks for the code; of who has no device yet, shows the QR code of a new one first."""
    user = request.user
    if not (isinstance(user, User) and user.is_active and user.is_staff):
        return redirect(f"{reverse('admin:login')}?{urlencode({'next': goal_of(request)})}")
    is_new = not any(devices_for_user(user, confirmed=True))
    device = device_of(user, request.POST.get("key", "")) if is_new else None
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if proven := verified(user, device, form.cleaned_data["code"]):
            login(request, proven)
            return redirect(goal_of(request))
        form.add_error("code", "This code does not fit. Wait for the next one and type that; after some tries, wait.")
    context = admin.site.each_context(request) | {
        "title": "Second factor",
        "form": form,
        "qr": qr_code(device) if device else "",
        "secret": secret(device) if device else "",
        "key": signed(device) if device else "",
    }
    return render(request, "admin/second_factor.html", context, status=422 if form.errors else 200)


def goal_of(request: HttpRequest) -> str:
    """Where to go on; nowhere but to our own site."""
    goal = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(goal, allowed_hosts=None, require_https=request.is_secure())
    return goal if ours else reverse("admin:index")


def device_of(user: User, key: str) -> TOTPDevice:
    """The device whose signed key was shown to this person; a new one where there is none. Nothing is stored."""
    try:
        of, known = signing.loads(key, salt=SALT, max_age=SET_UP_WITHIN)
    except signing.BadSignature:
        of, known = None, ""
    return TOTPDevice(user=user, name=NAME, **({"key": known} if of == user.pk else {}))


def signed(device: TOTPDevice) -> str:
    """The key for the way through the page and back."""
    return signing.dumps([device.user_id, device.key], salt=SALT)


def verified(user: User, device: TOTPDevice | None, code: str) -> Any:
    """The device whose code this is, or None. A new device is stored by it."""
    if device is None:
        return match_token(user, code)
    with transaction.atomic():
        is_proven = device.verify_token(code)  # stores it, to count what is wrong too
        transaction.set_rollback(not is_proven)
    return device if is_proven else None


def qr_code(device: TOTPDevice) -> str:
    """The device's address as an SVG image in a data URI."""
    return str(segno.make(device.config_url, micro=False).svg_data_uri(scale=5, border=3, light="white"))


def secret(device: TOTPDevice) -> str:
    """The same to type in, in groups of four."""
    text = device.config_url.partition("secret=")[2].partition("&")[0]
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
