"""What a paper claims, in its own words: the TL;DR of the site and the mails. Pure, no model of language."""

import re

from papers.text import cut

SUMMARY_LIMIT = 280  # characters
NAME_LIMIT = 60  # characters before a title's colon; what is longer is no name

_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|et al|vs|cf|w\.r\.t|a\.k\.a|resp|approx|Figs?|Eqs?|Sec|Refs?|Dr|Prof|[A-Z](?:\.[A-Z])*)\.$"
)
# A sentence ends where a full stop is followed by space and a beginning, or by a capital without a space
# ("…the performance.The IFM shows…"); a decimal, a version or an address has no such place.
_END = re.compile(
    r"[.!?]['\")\]”’]*(?=\s+['\"(\[“‘]?[^\sa-z])|(?<=[a-z)])\.(?=[A-Z][a-z]|[A-Z]{2,}\s)|(?<=.)$", re.DOTALL
)
_LABEL = re.compile(
    r"^(?:Background|Introduction|Objectives?|Aims?|Purpose|Motivation|(?:Materials and )?Methods?|Methodology|Approach"
    r"|(?:Main )?Results?|Findings|Conclusions?|Discussion|Significance)(?: (?:and|&) \w+)?\s*:\s*"
)

_ANNOUNCES = (
    r"show|demonstrate|describe|identify|find|discover(?:ed)?|prove|study|investigate|argue|explore|survey|review|"
    r"consider|design|construct|derive|provide|tackle|address|offer|equip|claim|aim|compare|evaluate|take|focus|"
    r"expose|reveal|uncover|report|release|establish|extend|examine|analy[sz]e|formulate|revisit"
)
_ADVERBS = r"(?:\w+ly |here |also |further |then |therefore |thus |hence |will |can |now )*"
_RESULT = re.compile(
    r"\b(?:results?|experiments?|findings?|evaluations?) \w*\s?(?:show|demonstrate|indicate|suggest)", re.IGNORECASE
)
_EXPERIMENT = re.compile(r"^(?:[\w-]+ ){0,4}(?:experiments?|results(?! in\b)|evaluations?)\b", re.IGNORECASE)
# From the plainest statement of what is new to the faintest; each is tried on every sentence in turn.
_CLAIMS = [
    re.compile(
        rf"\b(?:we|I) {_ADVERBS}(?:propose|present|introduce|develop|describe a|have developed)\b"
        r"|\bwe \w+ [^.;]{1,80} and (?:propose|present|introduce)\b"
        r"|\b(?:is|are) (?:\w+ )?(?:proposed|presented|introduced)\b"
        r"|\bour (?:method|approach|model|framework), (?:called|named)\b"
        r"|\b(?:paper|work|article|study|survey|book|thesis|review|report) (?:\w+ly )?"
        r"(?:propose|present|introduce|develop|describe|explore|provide|survey|review)s\b"
        r"|\b(?:survey|review) (?:\w+ly )?offers\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:we|I) {_ADVERBS}(?:{_ANNOUNCES})\b"
        r"|\bour (?:\w+ ){1,2}(?:is|makes|takes|shows|demonstrates|uses|aims)\b"
        r"|\bthis (?:paper|work|article|study) \w+s\b",
        re.IGNORECASE,
    ),
    _RESULT,
    re.compile(
        r"\b(?:we|our)\b"
        r"|\b(?:is|are|was|were) (?:\w+ )?(?:shown|found|studied|investigated|derived|calculated|reported)\b",
        re.IGNORECASE,
    ),
]
# What looks like a claim and is none: background, an answer without its question, an address (the card has links).
_NO_CLAIM = re.compile(
    r"^(?:We|I) (?:observe|note|notice) that (?:the )?(?:existing|current|most|recent|previous|prior)\b"
    r"|^(?:While|Although|Though|Despite)\b(?!.*\b(?:we|this (?:paper|work|study))\b (?!thought|think|believe))"
    r"|\banswer is (?:yes|no)\b|\bprovides? (?:an? )?(?:[\w-]+ ){0,5}reference\b|https?://|\bwww\.",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r" ?\(https?://[^\s()]+\)")
# "In this work, …": the reader knows. "To bridge this gap, …", and no sentence before it shows the gap.
_POINTER = "(?:this|that|these|those|such|the above)"
_UNTIL_WE = r"(?:(?!\bwe\b)[^,.;:()]){0,60}"
_OPENING = re.compile(
    r"^(?:Here|Therefore|Thus|Hence|Then|However|Instead|Consequently|Accordingly|Specifically|Concretely|Moreover"
    r"|Furthermore|Additionally|Also|Finally|First(?:ly)?|Second(?:ly)?|In (?:particular|addition|response|contrast)"
    r"|As a result|(?:To|Towards?) (?:this|that|these) ends?|To do so|For this (?:purpose|reason)"
    r"|In this (?:\w+ ){0,2}\w+"
    rf"|(?:In order )?To (?:\w+ ){{1,3}}?{_POINTER}\b{_UNTIL_WE}"
    # "Given these findings, we", "Following this, we", "With this work, we".
    r"|(?!(?:If|Unless|When) )[A-Z][\w-]+ (?:[\w-]+ ){0,4}?(?:this|these|those|such) "
    rf"{_UNTIL_WE}(?=, (?:we|this|in this|our) )"
    r"|With (?:this|that)(?=, we )"
    rf"|In (?:light|view|response|contrast) (?:of|to) {_POINTER}\b[^,.;:()]{{0,60}}"
    rf"|(?:Motivated|Inspired|Driven|Guided) by {_POINTER}\b[^,.;:()]{{0,60}}"
    rf"|(?:Based|Building|Drawing) (?:up)?on {_POINTER}\b[^,.;:()]{{0,60}}"
    r")(?:, (?=\w)| (?=we ))",
    re.IGNORECASE,
)
# "We therefore propose": from what, is not shown.
_LINK = re.compile(
    r"^((?:We|I),?) (?:also|further|furthermore|then|therefore|thus|hence|additionally|consequently),? (?=\w)"
)
# What it adds to, is not shown either: as plain a claim without it goes before.
_ADDS = re.compile(r"^We (?:also|further|then|additionally)\b")
# A claim that is understood only with the sentence before it: "This survey explores their applications".
_POINTS_BACK = re.compile(
    r"^(?:This|These|Those|Such|They|Their)\b"
    r"(?! (?:\w+ )?(?:paper|work|article|study|survey|book|thesis|review|report|letter|note)\b)"
    r"|\b(?:we|paper|work|article|study|survey|review) (?:\w+ly )?"
    r"(?:surveys?|reviews?|explores?|address(?:es)?|examines?|discuss(?:es)?|tackles?|investigates?|stud(?:y|ies)|fills?)"
    r" (?:their|its|this|these|those|such)\b(?![^.]* (?:and|by) (?:propos|present|introduc|develop))",
    re.IGNORECASE,
)
# Where a clause or a point of a list ends, and what was said is said.
_CLAUSE_END = re.compile(
    r"[;:](?= )| ?(?:--|[–—])(?= )|,(?= \(?(?:\d|i{1,3}|iv|v)\) )"
    r"|,(?= (?:which|where(?:as|by|in)?|whose|who|when|while|until|because|since|although|though|unless|after|before"
    r"|given|and|or|but|yet|so|thus|thereby|hence|with|without|except|including|such as|as well as|especially|namely"
    r"|i\.e\.|e\.g\.|\w{2,}ing)(?!\w))"
)
# What tells too little before an ellipsis: the mark of a point or the beginning of a list, with two words at most.
_STUB = re.compile(
    r"(?:(?:[,;:]|,? (?:and|or))? \((?:\d|i{1,3}|iv|v|[a-e])\)|[,;:](?: and| or)? \d[.)]|[;:]| (?:--|[–—]))"
    r"(?: [^\s()]+){0,2}$"
)

# Where the title is "Name: …", what makes a sentence the one that says what the name is.
_MAKES = (
    r"(?:propos|introduc|present|develop|design|creat|build|releas|open-sourc|describ|construct|curat|train|unveil|devis"
    r"|establish|launch|contribut|offer|collect)(?:e|es|ed|s|ing)?|built"
)
_NAMES = r"called|named|i\.e\.|namely|dubbed|term(?:ed)?|coined|titled|denoted(?: as)?|(?:referred|refer) to as|we call"
# "We propose the streaming model Name", and not "We propose a loss for Name".
_MODIFIERS = r"(?:(?!(?:for|with|on|of|by|to|in|from|using|that|which|upon)\b)[^\s.;:]+ ){0,8}?"

# "Name-7B" is of the name's family, "Name-the model" a dash; "Name-Bench" is another thing. A sign that no text has
# stands for the name, because to compile all this for each title takes five times as long as all else.
_SIGN = "\0"
_NAME = rf"[\"'“‘(*]*{_SIGN}(?!-(?!(?:the|an?)\b|v?[\d.]+B?(?![\w-])))"
_INTRODUCES = re.compile(
    rf"(?<!^To )\b(?:{_MAKES}) {_MODIFIERS}{_NAME}"
    rf"|\b(?:{_MAKES}) [^.;]{{1,120}}(?:, (?:{_NAMES})? ?|: | \(){_NAME}"
    rf"|\b(?:{_NAMES}),? {_NAME}|\bour (?:\w+ ){{0,3}}?{_NAME}"
    rf"|\b(?:challenge|address|tackle|fill|bridge) [^.;]{{1,80}} with {_NAME}"
    rf"|{_NAME} is an? |{_NAME}, an? |{_NAME} (?:{_MAKES})\b",
    re.IGNORECASE,
)


def summary(abstract: str, limit: int = SUMMARY_LIMIT, *, title: str = "") -> str:
    """The sentence that best says what is new by itself, and those after it that still fit in `limit` characters.

    Where `title` is "Name: …", the sentence that introduces the name comes first. Whole sentences of the abstract; only
    where the claim alone is longer it is cut, with an ellipsis: after a clause if one ends in its last third, else
    between words. "" for an empty abstract.
    """
    found = sentences(_ADDRESS.sub("", abstract))
    if not found:
        return ""
    plain = [_without_opening(sentence) for sentence in found]
    name = _name(title)

    def rank(place: int) -> tuple[bool, bool, bool, int, bool]:
        grade = next((grade for grade, claim in enumerate(_CLAIMS) if claim.search(found[place])), len(_CLAIMS))
        if grade < len(_CLAIMS) and _NO_CLAIM.search(plain[place]):
            grade = len(_CLAIMS)
        result = grade > 0 and (_RESULT.search(found[place]) or _EXPERIMENT.search(plain[place]))
        named = name is not None and not result and _introduces(name, plain[place])
        no_claim = grade == len(_CLAIMS)
        points_back = not no_claim and _POINTS_BACK.search(plain[place]) is not None
        return not named, no_claim, points_back, grade, _ADDS.search(found[place]) is not None

    # Most abstracts have a sentence that none can be better than: what follows it need not be looked at.
    best = (name is None, False, False, 0, False)
    ranks = list[tuple[bool, bool, bool, int, bool]]()
    for place in range(len(found)):
        ranks.append(rank(place))
        if ranks[-1] == best:
            break
    start = ranks.index(min(ranks))
    text = plain[start]
    for following in found[start + 1 :]:
        if len(text) + 1 + len(following) > limit or "https://" in following:
            break
        text += " " + _LABEL.sub("", following)
    return _cut(text, limit)


def sentences(text: str) -> list[str]:
    """The sentences of plain English text; their words are all of its words.

    "e.g.", "vs.", "et al.", initials, decimals and addresses end none.
    """
    found, start = [], 0
    for end in _END.finditer(text):
        sentence = text[start : end.end()].strip()
        if sentence and not (end[0] and _ABBREVIATION.search(sentence)):
            found.append(sentence)
            start = end.end()
    return found


def _name(title: str) -> re.Pattern[str] | None:
    """What finds the name before the title's colon; None for a title without one."""
    name, colon, _ = title.partition(": ")
    if not colon or not 1 < len(name) <= NAME_LIMIT:
        return None
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)


def _introduces(name: re.Pattern[str], sentence: str) -> bool:
    signed, found = name.subn(_SIGN, sentence)
    return found > 0 and _INTRODUCES.search(signed) is not None


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters, up to the last end of a clause within its last third that stands in no brackets."""
    if len(text) <= limit:
        return text
    ends = [found.start() for found in _CLAUSE_END.finditer(text, limit * 2 // 3) if found.start() < limit]
    for end in reversed(ends):
        if text.count("(", 0, end) <= text.count(")", 0, end):
            # Before a comma or a semicolon a short point is whole; before a colon or a dash it is a heading.
            return (text[:end] if text[end] in ",;" else _without_stub(text[:end], limit // 2)) + "…"
    return _without_stub(cut(text, limit).removesuffix("…"), limit // 2) + "…"


def _without_stub(text: str, least: int) -> str:
    """Without what was only begun at its end, where `least` characters are left."""
    while (stub := _STUB.search(text, least)) is not None:
        text = text[: stub.start()]
    return text


def _without_opening(sentence: str) -> str:
    plain = _LABEL.sub("", sentence)
    while plain != (shorter := _OPENING.sub("", plain)):
        plain = shorter
    plain = plain[:1].upper() + plain[1:]
    return _LINK.sub(lambda found: found[1].rstrip(",") + " ", plain)
