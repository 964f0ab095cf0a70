"""English phrases that may name a place: nouns behind prepositions, subjects, objects, adverbs of place."""

import re
from collections.abc import Sequence
from functools import cache

from studio.text.english import Token, tokens_of
from studio.text.english_parts import FINITE, NOUNS, noun_end
from studio.text.grounds import kinds_of
from studio.text.mention import Mention, flags
from studio.text.terms import words

_ROLES = (
    "in", "on", "at", "to", "from", "along", "under", "behind", "by", "between", "above", "outside",
    "of", "with",
)  # fmt: skip
# "down from the roof": the next word says where.
_LOOSE = frozenset(("up", "down", "over", "next", "back"))


@cache
def _role() -> dict[str, str]:
    """Each preposition to how it leads."""
    return {word: role for role in _ROLES for word in words("leading", role, "en")}


def mentions_en(sentence: str) -> list[Mention]:
    """Every phrase of a sentence that may name a place, in order."""
    if sentence.rstrip(" \"'”’").endswith("?"):
        return []
    tokens = tokens_of(sentence)
    found: list[Mention] = []
    i = 0
    while i < len(tokens):
        i = _read(tokens, i, found)
    return found


def _read(tokens: Sequence[Token], i: int, found: list[Mention]) -> int:
    token = tokens[i]
    if token.low in words("leading", "adverbs", "en") and not _noun_at(tokens, i + 1):
        found.append(Mention(token.text, "adverb", _flags(tokens, i, i + 1, "")))
        return i + 1
    if token.low in _role() and token.tag in ("IN", "TO", "RP", "RB", "JJ", "VBP", "VB", "CC", "NN", "FW"):
        start = i + 1
        lead = token.low
        while start < len(tokens) and tokens[start].low in _role() and start < i + 3:
            lead, start = (
                (tokens[start].low if lead in _LOOSE else lead),
                start + 1,
            )
        if _noun_at(tokens, start):
            return _phrase(tokens, start, _role()[lead], lead, found)
        return i + 1
    if _noun_at(tokens, i):
        return _phrase(tokens, i, "", "", found)
    return i + 1


def _noun_at(tokens: Sequence[Token], i: int) -> bool:
    return i < len(tokens) and (
        tokens[i].tag in (*NOUNS, "DT", "PDT", "JJ", "JJS", "JJR", "PRP$")
        or (tokens[i].tag in ("VBG", "VBN") and i + 1 < len(tokens) and tokens[i + 1].tag in NOUNS)
    )


def _phrase(tokens: Sequence[Token], start: int, role: str, lead: str, found: list[Mention]) -> int:
    """Note the noun phrase at `start`; returns where to go on."""
    first = start + 1 if tokens[start].tag in ("VBG", "VBN") else start
    end = max(noun_end(tokens, first), start + 1)
    if end < len(tokens) and tokens[end].tag.startswith("VB") and end > first and _is_noun(tokens, end):
        end += 1  # "the calving shed": tagged as a verb
    k = end - 1
    while k >= start and tokens[k].tag not in (*NOUNS, "JJ", "VBD", "VBG", "VB", "VBP"):
        k -= 1
    while k > start and tokens[k].low in words("leading", "adverbs", "en"):
        k -= 1  # "somebody upstairs"
    if k < start or tokens[k].low in words("leading", "never", "en") or tokens[k].tag == "CD":
        return end
    begin = k
    while begin > start and tokens[begin - 1].tag in (*NOUNS, "VBG") and tokens[begin - 1].tag != "CD":
        begin -= 1
    phrase = " ".join(token.text for token in tokens[begin : k + 1])
    side = tokens[k].low in words("grammar", "sides", "en") and end < len(tokens) and tokens[end].low == "of"
    if not role:
        role = _bare_role(tokens, start, end)
    if side and _noun_at(tokens, end + 1):
        return _phrase(tokens, end + 1, role, lead, found)
    found.append(Mention(phrase, role, _flags(tokens, start, end, lead)))
    return end


def _is_noun(tokens: Sequence[Token], i: int) -> bool:
    """Whether a word tagged as a verb is a place that ends its phrase."""
    here = kinds_of(tokens[i].low)
    behind = tokens[i + 1].tag if i + 1 < len(tokens) else "."
    return not here & {"unknown", "thing", "being", "body", "unseen"} and behind in (
        ".", ",", "PRP", "DT", "CC", "VBD", "VBZ", "IN", ":",
    )  # fmt: skip


def _clause_start(tokens: Sequence[Token], i: int) -> int:
    k = i
    while k > 0 and tokens[k - 1].text not in ",;:.!?—–" and tokens[k - 1].tag != "CC":
        k -= 1
    return k


def _bare_role(tokens: Sequence[Token], start: int, end: int) -> str:
    """Subject, object or alone, for a phrase without a preposition."""
    begin = start
    while begin > 0 and tokens[begin - 1].text not in ",;:.!?—–":
        begin -= 1
    before = any(token.tag.startswith("VB") for token in tokens[begin:start])
    after = any(token.tag in FINITE for token in tokens[end : end + 8])
    if not any(token.tag in FINITE for token in tokens):
        return "alone"
    return "object" if before else "subject" if after else "alone"


def _likened(clause: Sequence[Token]) -> bool:
    """Whether a comparison is open: like lamps in a hallway, as high as a house."""
    lows = [token.low for token in clause]
    return (
        any(token.low in ("like", "than") and token.tag == "IN" for token in clause) or lows.count("as") > 1
    )


def _flags(tokens: Sequence[Token], start: int, end: int, lead: str) -> dict[str, float]:
    clause = tokens[_clause_start(tokens, start) : start]
    verb = next((t.lemma for t in reversed(clause) if t.tag.startswith("VB")), "")
    goes = verb in words("grammar", "stays_or_goes", "en") and verb not in words("leading", "stays", "en")
    lows = {token.low for token in clause}
    first = tokens[start].low
    head = tokens[min(end, len(tokens)) - 1]
    article = {"a": "a", "an": "a", "the": "the"}.get(
        first, "poss" if tokens[start].tag == "PRP$" else "none"
    )
    acted = any(token.tag in FINITE for token in tokens[:start])
    return flags(
        (
            f"lead_{lead}" if lead else "",
            f"article_{article}",
            "proper" if head.tag.startswith("NNP") and start and head.text[0].isupper() else "",
            "plural" if head.tag in ("NNS", "NNPS") else "",
            "goes" if goes else "",
            "stays" if verb in words("leading", "stays", "en") else "",
            "looks" if verb in words("leading", "looks", "en") else "",
            "puts" if verb in words("leading", "puts", "en") else "",
            "reaches" if not lead and verb in words("grammar", "reaches", "en") else "",
            "veiled" if lows & words("leading", "veils", "en") else "",
            "simile" if _likened(clause) else "",
            "bound" if "way" in lows and lead in ("to", "for", "from") else "",
            "relative" if lows & {"who", "which", "that", "where", "whose"} else "",
            "before_verb" if not acted else "",
            "at_start" if start <= 2 and lead else "",
            "ends_clause" if end >= len(tokens) or tokens[end].text in ",.;:!?—–" else "",
            "of_follows" if end < len(tokens) and tokens[end].low == "of" else "",
            "digits" if re.search(r"\d", head.text) else "",
        )
    )
