"""The admin's theme, in the site's colours; its sidebar stands in newsletter/cockpit/navigation.py."""

from typing import Any

from django.templatetags.static import static


def of(site_name: str) -> dict[str, Any]:
    """The settings of django-unfold."""
    return {
        "SITE_TITLE": site_name,
        "SITE_HEADER": site_name,
        "SITE_SUBHEADER": "All times are UTC",
        "SITE_SYMBOL": "newspaper",
        "SITE_FAVICONS": [{"rel": "icon", "href": lambda _: static("favicon.svg"), "type": "image/svg+xml"}],
        "SHOW_VIEW_ON_SITE": False,
        "BORDER_RADIUS": "4px",
        "STYLES": [lambda _: static("cockpit.css")],
        "SIDEBAR": {"navigation": "newsletter.cockpit.navigation.groups"},
        "DASHBOARD_CALLBACK": "newsletter.desk.today.dashboard",
        "COLORS": {
            "primary": {
                "50": "#f0f7f6",
                "100": "#d9ebe9",
                "200": "#b3d7d3",
                "300": "#7cc4bd",
                "400": "#4aa39b",
                "500": "#2f8079",
                "600": "#1f5f5b",
                "700": "#194d4a",
                "800": "#143d3b",
                "900": "#10302e",
                "950": "#0a1f1e",
            },
        },
    }
