"""Who may do what in the admin: four roles, as groups whose permissions this file alone decides.

A person may have several. They are brought into line after every `migrate`; what somebody clicked together in the
admin's group page is set right again.
"""

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

VIEW, ADD, CHANGE, DELETE = "view", "add", "change", "delete"
APPROVE, LIFT = "approve", "lift"  # an edition; a suppression
OURS = ("newsletter", "papers", "subscribers")

# Of each app, what a role may do with which models; "*" is all of them.
ROLES: dict[str, dict[str, dict[str, set[str]]]] = {
    # Editions, papers, topics; never an address.
    "Editor": {
        "newsletter": {
            "edition": {VIEW, CHANGE},
            "editionpaper": {VIEW, ADD, CHANGE, DELETE},
            "brake": {VIEW},
            "census": {VIEW},
            "progress": {VIEW},
        },
        "papers": {"*": {VIEW, ADD, CHANGE, DELETE}},
    },
    # All but the users of the admin.
    "Operator": {
        "newsletter": {"*": {VIEW, ADD, CHANGE, DELETE, APPROVE}},
        "papers": {"*": {VIEW, ADD, CHANGE, DELETE}},
        "subscribers": {"*": {VIEW, ADD, CHANGE, DELETE, LIFT}},
        "admin": {"logentry": {VIEW}},
    },
    # Reads everything, changes nothing.
    "Auditor": {
        "newsletter": {"*": {VIEW}},
        "papers": {"*": {VIEW}},
        "subscribers": {"*": {VIEW}},
        "admin": {"logentry": {VIEW}},
        "auth": {"*": {VIEW}},
    },
    # All of it, and who the others are.
    "Owner": {
        "newsletter": {"*": {VIEW, ADD, CHANGE, DELETE, APPROVE}},
        "papers": {"*": {VIEW, ADD, CHANGE, DELETE}},
        "subscribers": {"*": {VIEW, ADD, CHANGE, DELETE, LIFT}},
        "admin": {"logentry": {VIEW}},
        "auth": {"*": {VIEW}, "user": {VIEW, ADD, CHANGE}},
        "axes": {"*": {VIEW, DELETE}},
        "otp_totp": {"*": {VIEW, DELETE}},
        "otp_static": {"*": {VIEW, DELETE}},
    },
}
# The same for people: what each role is for.
IN_WORDS = {
    "Editor": "Editions, papers, topics and sources: notes, pins and bans, hold, pause, resume and cancel, a test mail "
    "to their own address. Sees numbers of readers and never an address. Approves nothing.",
    "Operator": "All of it but who may enter: what an Editor does, and approves editions, decides about digests, "
    "readers, suppressions, imports, brakes and attacks.",
    "Auditor": "Reads everything and changes nothing; may take the results of an edition, which is on record.",
    "Owner": "All of it, and who may enter: People, their roles, authenticators and wrong passwords.",
}
APPS = frozenset(app for rules in ROLES.values() for app in rules)


def grant(app_config: AppConfig) -> None:
    """Bring the groups into line with ROLES, for one app: to be called once its permissions exist."""
    if app_config.label not in APPS:
        return
    permissions = list(
        Permission.objects.filter(content_type__app_label=app_config.label).select_related("content_type")
    )
    for role, rules in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        allowed = {one for one in permissions if allows(rules.get(app_config.label, {}), one)}
        group.permissions.remove(*(one for one in permissions if one not in allowed))
        group.permissions.add(*allowed)


def allows(rules: dict[str, set[str]], permission: Permission) -> bool:
    """Whether the rules of an app name this permission."""
    action, _, model = permission.codename.partition("_")
    return action in rules.get(model, rules.get("*", set()))
