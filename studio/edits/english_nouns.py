"""Things in English prompts: where they are named, their plurals and articles."""

import re

from studio.edits.phrases import spoken
from studio.text.beings import plural

DETERMINER = (
    r"(?:an?|the|some|his|her|its|their|my|our|one|two|three|four|five|six|seven|eight"
    r"|nine|ten|several|many|a few|\d+)"
)
COLOUR = (
    r"(?:(?:dark |light |bright |pale |deep )?(?:red|crimson|scarlet|pink|orange|yellow|gold|golden|green|"
    r"emerald|turquoise|teal|cyan|blue|navy|purple|violet|white|black|gr[ae]y|silver|brown|beige|maroon))"
)
LEADS = r"(?:at|in|on|by|during|under|with|through|into|against|near|over|beside|beneath|behind|across)"
_IRREGULAR = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "fish": "fish",
    "sheep": "sheep",
    "deer": "deer",
    "mouse": "mice",
    "goose": "geese",
    "wolf": "wolves",
    "leaf": "leaves",
}


def noun_phrase(prompt: str, thing: str) -> re.Match[str] | None:
    """Where a prompt names a thing, with its article and adjectives; None if it does not."""
    head = bare(thing)
    for name in (head, head.split()[-1] if head else ""):
        if not name:
            continue
        forms = "|".join(
            sorted(
                {re.escape(form) for form in (name, name.removesuffix("s"), plural_of(name))},
                key=len,
                reverse=True,
            )
        )
        # Adjectives: what stands between an article and the noun, at most three words.
        found = re.search(
            rf"(?<![\w-])(?:(?P<det>{DETERMINER}) )?(?P<adjectives>"
            rf"(?:(?!{LEADS}\b|and\b|of\b|{DETERMINER}\b)[\w-]+ "
            rf"){{0,3}}?)(?P<noun>{forms})(?![\w-])",
            prompt,
            re.IGNORECASE,
        )
        if found:
            if not found["det"] and found["adjectives"]:
                # Without an article only adjectives that are known are taken along.
                kept = re.search(rf"(?:{COLOUR} )*$", found["adjectives"], re.IGNORECASE)
                start = found.start("noun") - len(kept.group() if kept else "")
                found = re.compile(
                    rf"(?P<det>(?!x)x)?(?P<adjectives>(?:{COLOUR} )*)(?P<noun>{forms})(?![\w-])",
                    re.IGNORECASE,
                ).match(prompt, start)
            return found
    return None


def bare(thing: str) -> str:
    """A thing without article, in English, lower case."""
    word = spoken(thing, "en")
    return re.sub(rf"^(?:{DETERMINER}|that|this|these|those|another|more) ", "", word.strip().lower())


def plural_of(noun: str) -> str:
    """The plural of a noun."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    first, _, last = noun.rpartition(" ")
    if first and last in _IRREGULAR:
        return f"{first} {_IRREGULAR[last]}"
    if plural(noun):
        return noun
    if re.search(r"(?:s|x|z|ch|sh)$", noun):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search(r"[^aeiou]y$", noun) else f"{noun}s"


def with_article(noun: str) -> str:
    """A noun phrase with "a" or "an", unless it has a word of its own there or needs none."""
    if not noun.split():
        return noun
    if (
        re.match(rf"(?:{DETERMINER}|that|this|more|another|lots) ", noun, re.IGNORECASE)
        or plural(noun.split()[-1])
        or (noun.endswith("s") and not noun.endswith("ss"))
    ):
        return noun
    if noun.split()[-1] in (
        "smoke",
        "water",
        "fog",
        "snow",
        "rain",
        "light",
        "fire",
        "grass",
        "steam",
        "mist",
        "people",
        "lightning",
        "hair",
        "bamboo",
    ):
        return noun
    return f"{'an' if re.match('[aeiou]', noun, re.IGNORECASE) else 'a'} {noun}"
