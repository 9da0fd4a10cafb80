"""Why a paper is in a digest, in the reader's words and in the language that is spoken now. Pure."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from newsletter.digest.candidates import Candidates
from newsletter.digest.ranking import EVERYTHING, TELLING_LIKES, Scores, weighted_taste
from newsletter.digest.readers import Reader
from papers.models.topics import BELONGS
from subscribers.schedule import listed

TOLD = 2  # terms that a reason names
LONGEST_NAME = 60
ALIKE = 0.25  # a weighted taste from which on a paper of a topic is told to be like the liked ones too


def reason(candidates: Candidates, reader: Reader, scores: Scores, number: int, row: int) -> str:
    """What spoke most for the paper: a followed author or phrase, a topic, the taste, or only its trend."""
    words, authors = weighted_taste(scores, number, row)
    fit = float(scores.fit[number, row])
    topic = int(scores.topic[number, row])
    if followed := _followed(candidates, reader, row, fit) if topic == EVERYTHING else "":
        return followed
    if authors > fit:
        return _("By an author of papers you liked")
    if words > 0 and (topic == EVERYTHING or fit < BELONGS) and (why := _shared(candidates, reader, row)):
        return why
    if topic != EVERYTHING:
        name = candidates.topic_names[topic]
        return _("%(topic)s · like papers you liked") % {"topic": name} if words >= ALIKE else name
    return pgettext("a paper", "Trending")


def _followed(candidates: Candidates, reader: Reader, row: int, fit: float) -> str:
    for author in reader.authors:
        if row in candidates.corpus.by(author):
            return _("By %(author)s, whom you follow") % {"author": author[:LONGEST_NAME]}
    about = candidates.corpus.about(reader.phrases) if reader.phrases else {}
    best = max(reader.phrases, key=lambda phrase: about[phrase][row], default="")
    is_about = best and about[best][row] > 0 and fit > 0
    return _("You follow “%(phrase)s”") % {"phrase": best[:LONGEST_NAME]} if is_about else ""


def _shared(candidates: Candidates, reader: Reader, row: int) -> str:
    """The heaviest terms that it shares with the liked papers, where those are enough to tell."""
    mine = candidates.corpus.features.texts[row].terms
    heaviest = sorted(reader.taste.terms.items(), key=lambda item: (-item[1], item[0]))
    shared = [term for term, weight in heaviest if weight > 0 and term in mine]
    if not shared:
        return ""
    named = telling(shared, TOLD) if reader.taste.likes >= TELLING_LIKES else []
    words = listed(term[:LONGEST_NAME] for term in named)
    return _("Like papers you liked: %(words)s") % {"words": words} if named else _("Like papers you liked")


def telling(terms: Iterable[str], most: int) -> list[str]:
    """The first terms that say something to a person: words of letters, none of them in a term before."""
    named: list[str] = []
    for term in terms:
        words = term.split()
        is_new = not {word for other in named for word in other.split()} & set(words)
        if is_new and all(word.isalpha() and len(word) > 2 for word in words):
            named.append(term)
    return named[:most]
