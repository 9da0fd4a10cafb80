"""Who may enter the admin, and in which roles."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from newsletter import audit, roles
from newsletter.admin.looking import ReadOnly

OWNER = "Owner"
MACHINE = "This account stands for commands and for the service itself in the record. Nobody enters it or changes it."
admin.site.unregister([User, Group, TOTPDevice, StaticDevice])


def not_the_machines(name: str) -> None:
    """Raises ValidationError for the name by which commands are on record: they would stand there as this person's."""
    if name.casefold() == audit.COMMAND_LINE:
        raise ValidationError(f"“{audit.COMMAND_LINE}” stands for commands in the record: choose another name.")


class PersonForm(UserChangeForm):
    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where nobody would be left who gives roles."""
        values = super().clean() or self.cleaned_data
        is_owner = values.get("is_superuser") or any(role.name == OWNER for role in values.get("groups", ()))
        if not (is_owner and values.get("is_active") and values.get("is_staff")) and not self._others():
            raise ValidationError("Nobody could enter People any more: make somebody else an Owner first.")
        return values

    def _others(self) -> bool:
        owners = User.objects.filter(Q(is_superuser=True) | Q(groups__name=OWNER), is_active=True, is_staff=True)
        return owners.exclude(pk=self.instance.pk).exists()


@admin.register(User)
class PersonAdmin(UserAdmin):
    """What a person may do is what their roles may: there are no permissions of one person's own."""

    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "roles", "email", "second_factor", "is_active", "is_superuser", "last_login"]
    list_filter = ["groups", "is_active"]
    search_fields = ["username"]
    filter_horizontal = []
    offers = ("add", "change")  # the record names them: they are shut out by unticking Active
    add_fieldsets = [(None, {"fields": ["username", "password1", "password2"]})]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Who it is", {"fields": ["first_name", "last_name", "email"]}),
        ("What they may do", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Record", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        people = super().get_queryset(request).annotate(has_device=Exists(devices))
        return people.prefetch_related(Prefetch("groups", Group.objects.order_by("name")))

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Not of the machine's own account: the record would call it otherwise, or somebody could enter it."""
        is_machine = obj is not None and obj.username == audit.COMMAND_LINE
        return not is_machine and super().has_change_permission(request, obj)

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """The row is held, as for the other form: else who was shut out meanwhile would be let in again."""
        return super().user_change_password(request, id, form_url)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Of the machine's own account, what it is for."""
        if obj is not None and obj.username == audit.COMMAND_LINE:
            return [(None, {"description": MACHINE, "fields": ["username", "is_active", "date_joined"]})]
        return super().get_fieldsets(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name == "username":
            field.validators.append(not_the_machines)
        return field

    @admin.display(description="roles")
    def roles(self, person: User) -> str:
        return ", ".join(role.name for role in person.groups.all()) or "none"

    @admin.display(description="second factor", boolean=True)
    def second_factor(self, person: User) -> bool:
        return bool(person.has_device)  # type: ignore[attr-defined]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The roles are few: all are seen, and ticked."""
        widget = forms.CheckboxSelectMultiple if db_field.name == "groups" else None
        field = super().formfield_for_manytomany(db_field, request, **kwargs | ({"widget": widget} if widget else {}))
        if field and widget:
            field.label, field.help_text = "Roles", "They may do what any of these may: see Roles."
        return field


@admin.register(Group)
class RoleAdmin(ReadOnly, GroupAdmin):
    """The roles are decided in newsletter/roles.py; here one sees what each may do."""

    fields = ["name", "does", "may"]
    readonly_fields = ["does", "may"]

    @admin.display(description="what it does")
    def does(self, role: Group) -> str:
        return roles.IN_WORDS.get(role.name, "")

    @admin.display(description="to the letter")
    def may(self, role: Group) -> str:
        permissions = role.permissions.select_related("content_type")
        deeds = {f"{one.codename.partition('_')[0]} {one.content_type.name}" for one in permissions}
        return ", ".join(sorted(deeds)) or "nothing"


class SecondFactorAdmin(ReadOnly):
    """People set their own up; here one that was lost is deleted. Nobody is shown another's key or codes."""

    offers = ("delete",)
    list_display = ["user", "name", "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    search_help_text = "Whose it is"
    fields = ["user", "name", "confirmed", "created_at", "last_used_at"]


admin.site.register([TOTPDevice, StaticDevice], SecondFactorAdmin)
