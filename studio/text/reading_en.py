"""Reading an English sentence by small rules: verbs by form and neighbours, the subject before the first."""

import re
from functools import cache

from studio.text.cues import cues_en
from studio.text.signs import Signs, SubjectKind

# Behind these a verb may stand all the same: to run, sat down.
_LOOSE_PREPOSITIONS = frozenset(("to", "up", "down", "off", "out"))
_AUXILIARIES = frozenset(("be", "have", "do"))
_CONTRACTED = ("it's", "he's", "she's", "that's", "there's")
_TOKEN = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’-][A-Za-z\u00c0-\u024f]+)*|\d[\d,.]*|[,;:—–.!?()]|…")
_FRESH = re.compile(
    r"\b(?:an?|two|three|four|five|six|seven|eight|nine|ten|twelve|some|several|dozens|hundreds|another) "
    r"(?!moment|minute|second|while|bit|little while|few|day|night|week|year|month|time)",
    re.I,
)
_EXISTS = re.compile(
    r"\bthere (?:is|was|are|were|stood|lived|sat|lay|once)\b"
    r"|^(?:in|on|at|under|behind|beside|beyond|between|inside|outside|below|above|near) [^,]{3,40},? "
    r"(?:stood|sat|lay|lived|hung|was|were|is|are|stands|sits|lies|lives) an?\b",
    re.I,
)


@cache
def _forms() -> dict[str, str]:
    """Every form of every known verb, and its base."""
    en = cues_en()
    bases = en["visible"] | en["inner"]
    forms: dict[str, str] = {}
    for base in sorted(bases):
        for form in _regular(base):
            forms.setdefault(form, base)
    for entry in en["irregular"]:
        base, _, odd = entry.partition("=")
        forms.update(dict.fromkeys(odd.split("/"), base))
    return forms | {base: base for base in bases}


def _regular(base: str) -> list[str]:
    stem = base[:-1] if base.endswith("e") else base
    flips = bool(re.search(r"[^aeiou]y$", base))
    hisses = bool(re.search(r"(?:s|x|z|ch|sh|o)$", base))
    third = base[:-1] + "ies" if flips else base + ("es" if hisses else "s")
    forms = [third, base[:-1] + "ied" if flips else stem + "ed", stem + "ing", base + "ing"]
    if re.search(r"[^aeiou][aeiou][bdgklmnprt]$", base):
        forms += [base + base[-1] + "ed", base + base[-1] + "ing"]
    return forms


@cache
def _function_words() -> frozenset[str]:
    en = cues_en()
    lists = "determiners prepositions pronouns speakers modals negations others"
    return frozenset().union(*(en[name] for name in lists.split()))


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    en = cues_en()
    times = "|".join([*en.time_patterns, en.either("time")])
    lead = "(?:and |but |then |so |just |at |by |in |on |one |until |right )?(?:the )?"
    far = "(?:(?:and|but|then|far|high|deep|somewhere|back|out|down|up|over|all|just),? )?"
    sources = {
        "time": rf"{lead}(?:{times})\b",
        "sudden": rf"(?:^|[,;:—.…] ?(?:and |but |then )?)(?:and |but |then |so )?(?:{en.either('sudden')})\b",
        "remark": rf"(?:and |but |so )?(?:{en.either('remark')})\b",
        "place": rf"{far}(?:{en.either('place_prepositions')}) (?:the|a|an|his|her|its|their|my|our|[A-Z])",
    }
    return {name: re.compile(source, re.I) for name, source in sources.items()}


def read_en(told: str, spoken: float, length: int) -> Signs:
    """The signs of a sentence without its quotations; `spoken` and `length` as in Signs."""
    pattern, en = _patterns(), cues_en()
    told = told.strip(" ,—–-…·")
    tokens = _TOKEN.findall(told.replace("’", "'"))
    verbs = _verb_places(tokens)
    actions, states = _verbs(tokens, verbs)
    subject, kind = _subject(tokens, verbs)
    return Signs(
        length=length,
        spoken=spoken,
        subject=subject,
        subject_kind=kind,
        actions=tuple(actions),
        states=states,
        nouns=_nouns(tokens, verbs),
        time=bool(pattern["time"].match(told)),
        place=bool(pattern["place"].match(told)),
        sudden=bool(pattern["sudden"].search(told)),
        remark=bool(pattern["remark"].match(told)),
        goes=any(a in en["going"] for a in actions),
        fresh=bool(_FRESH.search(told[:70])),
        reacts=bool(actions) and all(a in en["reactions"] for a in actions),
        exists=bool(_EXISTS.search(told)),
    )


def _verb_places(tokens: list[str]) -> dict[int, str]:
    """Index and base of each token that is a verb; of two neighbours that may be one, only one is."""
    forms, en = _forms(), cues_en()
    found: dict[int, str] = {}
    for i, token in enumerate(tokens):
        word = token.lower()
        before = tokens[i - 1].lower() if i else ""
        if word.endswith("n't"):
            found[i] = "be" if word[:-3] in ("is", "was", "were", "are") else "have"
            continue
        governed = before in en["determiners"] or before in en["prepositions"] - _LOOSE_PREPOSITIONS
        named = token[0].isupper() and i > 0 and tokens[i - 1] not in ".!?"
        if governed or (named and word in forms):
            continue
        base = forms.get(word)
        if base is None:
            if re.fullmatch(r"[a-z]{3,}ed", word) and before not in en["prepositions"]:
                found[i] = word
            continue
        certain = word != base and not word.endswith("s")
        if not certain and i - 1 in found and found[i - 1] not in _AUXILIARIES:
            continue
        if not certain and i + 1 < len(tokens) and before not in en["speakers"] | en["pronouns"]:
            # "a red light shines": the form of the next word says that it is the verb.
            following = tokens[i + 1].lower()
            if forms.get(following, following) != following and not following.endswith("ing"):
                continue
        found[i] = base
    return found


def _verbs(tokens: list[str], verbs: dict[int, str]) -> tuple[list[str], int]:
    """Verbs that are seen, and the number of those that are not: not done, only wished, or of the mind."""
    en = cues_en()
    actions: list[str] = []
    states = 0
    for i, base in verbs.items():
        near = tokens[max(0, i - 3) : i]
        # A month or a name is no modal: May, Will.
        veiled = any(t in en["modals"] or t.lower() in en["negations"] or t.endswith("n't") for t in near)
        if near and near[-1].lower() == "to" and verbs.get(i - 2) not in en["starters"]:
            veiled = True
        following = tokens[i + 1].lower() if i + 1 < len(tokens) else ""
        if base == "be" and (following.endswith("ing") or i + 1 in verbs):
            continue
        # "stopped" is seen, "stopped talking" is not.
        stops = base == "stop" and not following.endswith("ing")
        if (stops or base in en["visible"]) and not veiled:
            actions.append(base)
        elif base in en["inner"] or veiled:
            states += 1
    return actions, states


def _subject(tokens: list[str], verbs: dict[int, str]) -> tuple[str, SubjectKind]:
    """Head of the noun phrase before the first verb, and its kind."""
    en = cues_en()
    begin = 0
    first = min(verbs, default=None)
    if "," in tokens[:14]:
        comma = tokens.index(",")
        opens = tokens[0].lower() in en["openers"] | en["prepositions"] or first is None or comma < first
        if opens and any(i > comma for i in verbs):
            begin = comma + 1
    first = min((i for i in verbs if i >= begin), default=None)
    phrase = tokens[begin : first if first is not None else begin + 6]
    head = ""
    for token in phrase:
        word = token.lower()
        if word in en["prepositions"] or word in ",;:()." or (head and word in ("who", "which", "that")):
            if head:
                break
        elif word.endswith("'s") and word not in _CONTRACTED:
            head = ""
        elif word in en["pronouns"] or word in en["speakers"]:
            head = head or word
        elif word not in _function_words() and not word.endswith("ly"):
            head = word
    if not head:
        return "", "none"
    if head in en["pronouns"] or head in en["speakers"]:
        return head, "pronoun"
    unseen = en["unseen"]
    return _singular(head), "unseen" if head in unseen or _singular(head) in unseen else "named"


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def _nouns(tokens: list[str], verbs: dict[int, str]) -> frozenset[str]:
    """What else is named, roughly: every word of content that is no verb and no adverb."""
    words = (token.lower() for i, token in enumerate(tokens) if token[0].isalpha() and i not in verbs)
    kept = (w for w in words if len(w) > 2 and w not in _function_words() and not w.endswith("ly"))
    return frozenset(_singular(w) for w in kept) - cues_en()["unseen"]
