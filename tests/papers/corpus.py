"""Three subjects with words of their own, and the words that every abstract has: texts to learn from."""

import random

STARS = ["galaxy", "redshift", "quasar", "nebula", "telescope", "spectrum"]
CELLS = ["protein", "membrane", "enzyme", "genome", "tissue", "receptor"]
ROBOTS = ["gripper", "actuator", "quadruped", "locomotion", "torque", "manipulator"]
COMMON = ["we", "show", "that", "the", "method", "of", "this", "work", "improves", "results", "with", "data", "new"]


def shuffled(subject: list[str], common: int, chance: random.Random) -> list[str]:
    """Six words of a subject among `common` words of any."""
    words = chance.choices(subject, k=6) + chance.choices(COMMON, k=common)
    chance.shuffle(words)
    return words
