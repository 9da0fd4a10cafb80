"""Who may enter the admin, and in which roles."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister([User, Group])


@admin.register(User)
class PersonAdmin(UserAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "is_active", "is_superuser", "last_login"]
    search_fields = ["username"]


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """The roles are decided in newsletter/roles.py; here one sees what each may do."""
