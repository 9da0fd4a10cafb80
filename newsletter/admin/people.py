"""Who may enter the admin, and in which roles."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from newsletter.admin.looking import ReadOnly

admin.site.unregister([User, Group])


@admin.register(User)
class PersonAdmin(UserAdmin):
    """What a person may do is what their roles may: there are no permissions of one person's own."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "is_active", "is_superuser", "last_login"]
    search_fields = ["username"]
    filter_horizontal = []
    is_kept = True  # the record names them: they are shut out by unticking Active
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Who it is", {"fields": ["first_name", "last_name", "email"]}),
        ("What they may do", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Record", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

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

    fields = ["name", "may"]
    readonly_fields = ["may"]

    @admin.display(description="may")
    def may(self, role: Group) -> str:
        permissions = role.permissions.select_related("content_type")
        return ", ".join(sorted(one.name.removeprefix("Can ") for one in permissions)) or "nothing"
