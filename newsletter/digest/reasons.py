"""Why a paper is in a digest, in the reader's words and in the language that is spoken now. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from newsletter.digest.candidates import Candidates
from newsletter.digest.ranking import ASKED, FEW_LIKES, Scores, weighted_taste
from newsletter.digest.readers import Reader
from newsletter.digest.terms import is_rhetoric
from papers.models.topics import BELONGS, spoken
from subscribers.schedule import day_in_words, listed

TOLD = 2  # terms that a reason names
LONGEST_NAME = 60
ALIKE = 0.15  # a weighted taste from which on a paper of a topic is told to be like the liked ones too


@dataclass(frozen=True)
class Phrases:
    """What reasons are made of, in one language. Looked up once for many readers: that takes longer than choosing."""

    trending: str
    touches: str
    picked: str
    outside_topics: str
    outside_follows: str
    once_more: str
    author: str
    phrase: str
    liked_author: str
    like: str
    like_by_words: str
    topic_and_like: str
    topic_and_like_by_words: str
    between_words: str

    @classmethod
    def now(cls) -> "Phrases":
        """In the language that is spoken now."""
        return cls(
            trending=pgettext("a paper", "Trending"),
            touches=_("Touches on %(topic)s"),
            picked=_("Picked by the editor"),
            outside_topics=_("From outside your topics"),
            outside_follows=_("From outside what you follow"),
            once_more=_("Still rising · you had it on %(day)s · %(reason)s"),
            author=_("By %(author)s, whom you follow"),
            phrase=_("You follow “%(phrase)s”"),
            liked_author=_("By %(author)s, like papers you liked"),
            like=_("Like papers you liked"),
            like_by_words=_("Like papers you liked: %(words)s"),
            topic_and_like=_("%(topic)s · like papers you liked"),
            topic_and_like_by_words=_("%(topic)s · like papers you liked: %(words)s"),
            between_words=listed(["", ""]),
        )


@dataclass(frozen=True)
class Reasons:
    """Why the papers of one edition are in digests, in one language."""

    candidates: Candidates
    say: Phrases
    topics: Sequence[str]

    @classmethod
    def now(cls, candidates: Candidates) -> "Reasons":
        """In the language that is spoken now."""
        return cls(candidates, Phrases.now(), [spoken(name) for name in candidates.topic_names])

    def of(self, reader: Reader, scores: Scores, number: int, row: int) -> str:
        """What spoke most for the paper: a followed author or phrase, a topic, the taste, or only its trend."""
        words, authors = weighted_taste(scores, number, row)
        topic = int(scores.topic[number, row])
        if followed := self._followed(reader, row) if topic == ASKED else "":
            return followed
        if authors >= ALIKE and (by := self._liked_author(reader, row)):
            return by
        if words > 0 and (topic < 0 or scores.fit[number, row] < BELONGS) and (why := self._like(reader, row)):
            return why
        if topic < 0:
            return self.say.trending
        name = self.topics[topic]
        if not self.candidates.plainly[row, topic]:
            name = self.say.touches % {"topic": name}
        return self._like(reader, row, name) if words >= ALIKE else name

    def from_outside(self, reader: Reader) -> str:
        return self.say.outside_topics if reader.topics else self.say.outside_follows

    def once_more(self, why: str, day: date) -> str:
        """Of a paper that was sent on that day and has taken off since."""
        return self.say.once_more % {"day": day_in_words(day, "no year"), "reason": why}

    def _followed(self, reader: Reader, row: int) -> str:
        corpus = self.candidates.corpus
        for author in reader.authors:
            if row in corpus.by(author):
                return self.say.author % {"author": author[:LONGEST_NAME]}
        about = corpus.about(reader.phrases) if reader.phrases else {}
        best = max(reader.phrases, key=lambda phrase: about[phrase][row], default="")
        return self.say.phrase % {"phrase": best[:LONGEST_NAME]} if best and about[best][row] > 0 else ""

    def _liked_author(self, reader: Reader, row: int) -> str:
        """The author of the paper who weighs most in the reader's taste, as the paper writes the name."""
        names = self.candidates.corpus.signed(row)
        known = max(names, key=lambda key: reader.taste.authors.get(key, 0.0), default="")
        return self.say.liked_author % {"author": names[known][:LONGEST_NAME]} if known else ""

    def _like(self, reader: Reader, row: int, topic: str = "") -> str:
        """The heaviest terms that it shares with the liked papers, where those are enough to tell; behind its topic."""
        mine = self.candidates.corpus.features.texts[row].terms
        shared = (term for term in reader.taste.wanted if term in mine)
        named = telling(shared, TOLD) if reader.taste.likes > FEW_LIKES else []
        told = {"topic": topic, "words": self.say.between_words.join(term[:LONGEST_NAME] for term in named)}
        if topic:
            return (self.say.topic_and_like_by_words if named else self.say.topic_and_like) % told
        if named:
            return self.say.like_by_words % told
        return self.say.like if any(term in mine for term in reader.taste.wanted) else ""


def telling(terms: Iterable[str], most: int) -> list[str]:
    """The first terms that say something to a person: of letters, more than rhetoric, and no word twice."""
    named: list[str] = []
    taken: set[str] = set()
    for term in terms:
        words = term.split()
        if taken.isdisjoint(words) and _says_something(term):
            named.append(term)
            taken.update(words)
        if len(named) == most:
            break
    return named


@lru_cache(maxsize=10_000)  # of many readers and papers the same are asked
def _says_something(term: str) -> bool:
    words = term.split()
    return all(word.isalpha() and len(word) > 2 for word in words) and not is_rhetoric(term)
