"""What operators see and do. Each module registers its own models."""

from newsletter.admin import brakes, domains, editions, log, people

__all__ = ["brakes", "domains", "editions", "log", "people"]
