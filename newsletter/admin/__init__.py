"""What operators see and do. Each module registers its own models."""

from newsletter.admin import domains, editions, log, people

__all__ = ["domains", "editions", "log", "people"]
