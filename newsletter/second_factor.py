"""The second factor at the admin's door: a code from an authenticator app (TOTP, RFC 6238).

Who has none yet sets it up at the first sign-in. A lost phone: another owner deletes the device in the admin, or
`manage.py addstatictoken NAME` gives a code that works once.
"""

from typing import Any
from urllib.parse import urlencode

import segno
from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
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
    device = waiting_device(user) if is_new else None
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
    }
    return render(request, "admin/second_factor.html", context, status=422 if form.errors else 200)


def goal_of(request: HttpRequest) -> str:
    """Where to go on; nowhere but to our own site."""
    goal = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(goal, allowed_hosts=None, require_https=request.is_secure())
    return goal if ours else reverse("admin:index")


def waiting_device(user: User) -> TOTPDevice:
    """A device that was shown and not confirmed yet; the same one when the page is loaded again."""
    device, _ = TOTPDevice.objects.get_or_create(user=user, confirmed=False, defaults={"name": NAME})
    return device


def verified(user: User, device: TOTPDevice | None, code: str) -> Any:
    """The device whose code this is, or None. A new device is confirmed by it."""
    if device is None:
        return match_token(user, code)
    allowed, _ = device.verify_is_allowed()
    if not (allowed and device.verify_token(code)):
        return None
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return device


def qr_code(device: TOTPDevice) -> str:
    """The device's address as an SVG image in a data URI."""
    return str(segno.make(device.config_url, micro=False).svg_data_uri(scale=5, border=3, light="white"))


def secret(device: TOTPDevice) -> str:
    """The same to type in, in groups of four."""
    text = device.config_url.partition("secret=")[2].partition("&")[0]
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
