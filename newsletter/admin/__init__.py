"""What operators see and do. Each module registers its own models."""

from newsletter.admin import editions, log, people

__all__ = ["editions", "log", "people"]
