"""What is logged, and how it looks."""

from typing import Any


def of(demo: bool, level: str) -> dict[str, Any]:
    """The settings of logging."""
    # What strangers send too much of is no fault of ours: a line, not a traceback for each.
    strangers = [f"django.security.{name}" for name in ("RequestDataTooBig", "TooManyFieldsSent", "DisallowedHost")]
    # At the source, for whatever else listens there; the console besides looks at every record.
    pathless = [
        "django.request",
        *[f"django.security.{name}" for name in ("csrf", "SuspiciousOperation")],
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"},
            "short": {"format": "{levelname:<7} {name}: {message}", "style": "{"},  # the demo adds the time
        },
        "filters": {
            "untraced": {"()": "newsletter.reports.Untraced"},
            "pathless": {"()": "newsletter.reports.Pathless"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "short" if demo else "line",
                "filters": ["pathless"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **{name: {"filters": ["pathless"]} for name in pathless},
            **{name: {"filters": ["untraced", "pathless"]} for name in strangers},
            # A tick every minute is no news; what fails in one is.
            **{f"celery.{name}": {"level": "WARNING"} for name in ("app.trace", "beat", "worker.strategy")},
            **({"celery": {"level": "WARNING"}} if demo else {}),
        },
    }
