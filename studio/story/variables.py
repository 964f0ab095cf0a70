"""{Variables} of a story: a child's name, a product; and a table of them, one film a row."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from studio.story.problems import StoryProblem
from studio.story.types import Shot, Story
from studio.text.characters import Character
from studio.text.fields import ShotFields

MAX_ROWS = 200
MAX_TABLE_BYTES = 1_000_000
MAX_VALUE = 200
_CONTROLS = "".join(map(chr, range(1, 32))).translate({9: None, 10: None, 12: None, 13: None})
# {name}, {产品 名}: words, not any text between braces.
_PLACE = re.compile(r"\{\s*([^\W\d]\w{0,39}(?: \w{1,20}){0,2})\s*\}")


# A variable's name in letters only, so that rules take it for one word.
_MASK = re.compile(r"Var((?:[a-p]{2})+)z", re.IGNORECASE)
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_DIGITS = str.maketrans("abcdefghijklmnop", "0123456789abcdef")


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each {name} that has a value replaced by it; the others stay."""
    if not values or "{" not in text:
        return text
    return _PLACE.sub(lambda match: values.get(match[1]) or match[0], text)


def names_in(story: Story) -> tuple[str, ...]:
    """The variables that the story's texts hold, in the order in which they appear."""
    return tuple(dict.fromkeys(match[1] for text in _texts(story) for match in _PLACE.finditer(text)))


def masked(text: str) -> str:
    """The text with each {name} as a word that reads like a name, for rules that know no variables."""
    return _PLACE.sub(_masked, text) if "{" in text else text


def masks_in(text: str) -> tuple[str, ...]:
    """The words that stand for variables in a masked text."""
    return tuple(match[0] for match in _MASK.finditer(text))


def unmasked(text: str) -> str:
    """The text with its {names} again."""
    return _MASK.sub(_unmasked, text)


def _masked(match: re.Match[str]) -> str:
    return f"Var{match[1].encode().hex().translate(_LETTERS)}z"


def _unmasked(match: re.Match[str]) -> str:
    return f"{{{bytes.fromhex(match[1].lower().translate(_DIGITS)).decode('utf-8', 'replace')}}}"


def unset(story: Story) -> tuple[str, ...]:
    """The variables that the texts hold and that have no value."""
    return tuple(name for name in names_in(story) if not story.variables.get(name))


def filled(story: Story) -> Story:
    """The story with its variables' values in all its texts."""
    values = story.variables
    if not any(values.values()):
        return story
    look = story.look
    return story.model_copy(
        update={
            "title": fill(story.title, values),
            "shots": tuple(_shot(shot, values) for shot in story.shots),
            "characters": tuple(_character(character, values) for character in story.characters),
            "look": look.model_copy(
                update={name: fill(getattr(look, name), values) for name in ("palette", "end_card")}
            ),
        }
    )


def rows_of(table: str | bytes, story: Story) -> list[dict[str, str]]:
    """The rows of a table whose header holds variables' names: for each row the story's values and its own.

    Commas, semicolons and tabs separate; UTF-8 or GB 18030. Raises StoryProblem that names row (the header is
    row 1) and column.
    """
    lines = [(number, line) for number, line in enumerate(read_table(table), 1) if any(map(str.strip, line))]
    if not lines:
        raise StoryProblem("table_empty")
    known = names_in(story)
    header = [name.strip().strip("{}").strip() for name in lines[0][1]]
    _check_header(header, known, story)
    rows = lines[1:]
    if not rows:
        raise StoryProblem("table_empty")
    if len(rows) > MAX_ROWS:
        raise StoryProblem("table_long", count=len(rows), high=MAX_ROWS)
    return [dict(story.variables) | _row(header, line, number) for number, line in rows]


def differing(rows: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """What tells each row from the others: the values that are not the same in all; those of an only row."""
    names = [name for name in rows[0] if len({row[name] for row in rows}) > 1] if len(rows) > 1 else []
    return [[row[name] for name in names or row] for row in rows]


def _check_header(header: list[str], known: tuple[str, ...], story: Story) -> None:
    if not known:
        raise StoryProblem("table_no_variables")
    for column, name in enumerate(header, 1):
        if name not in known:
            raise StoryProblem(
                "table_column_unknown", column=column, value=name[:40], allowed=", ".join(known)
            )
        if header.index(name) != column - 1:
            raise StoryProblem("table_column_twice", column=column, value=name)
    for name in unset(story):
        if name not in header:
            raise StoryProblem("table_column_missing", value=name)


def _row(header: list[str], line: list[str], number: int) -> dict[str, str]:
    cells = [cell.strip() for cell in line]
    if len(cells) > len(header) and any(cells[len(header) :]):
        raise StoryProblem("table_row_wide", row=number, count=len(cells), high=len(header))
    values = dict(zip(header, cells, strict=False))
    for name in header:
        value = values.get(name, "")
        if not value:
            raise StoryProblem("table_cell_empty", row=number, column=name)
        if len(value) > MAX_VALUE:
            raise StoryProblem("table_cell_long", row=number, column=name, length=len(value), high=MAX_VALUE)
        if not value.isprintable():
            raise StoryProblem("table_cell_control", row=number, column=name)
    return values


def read_table(table: str | bytes) -> list[list[str]]:
    """The rows of a table of a person's, as texts; StoryProblem if it is too big, or none."""
    if len(table) > MAX_TABLE_BYTES:
        raise StoryProblem("table_big", high=MAX_TABLE_BYTES // 1_000_000)
    text = text_of(table).removeprefix("\ufeff")
    first = text.lstrip().partition("\n")[0]
    # Spreadsheets write what their country writes; a name holds none of the three.
    separator = max(",;\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise StoryProblem("table_bad") from error


def text_of(table: str | bytes) -> str:
    """A table's text: UTF-8, GB 18030, or the UTF-16 of spreadsheets; StoryProblem if it is no text."""
    if isinstance(table, str):
        return table
    text = _decoded(table)
    # A picture, a PDF or a workbook may well pass for GB 18030.
    strange = sum(text.count(control) for control in _CONTROLS)
    if "\0" in text or strange > len(text) / 100:
        raise StoryProblem("table_bad")
    return text


def _decoded(table: bytes) -> str:
    marked = table.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return table.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise StoryProblem("table_bad")


def _texts(story: Story) -> Iterator[str]:
    yield story.title
    for shot in story.shots:
        yield from (shot.text, shot.translation, shot.title, shot.prompt or "")
        for name in ShotFields.model_fields:
            yield from getattr(shot.fields, name)
    for character in story.characters:
        yield from (character.name, character.looks, character.age, character.clothing)
    yield from (story.look.palette, story.look.end_card)


def _shot(shot: Shot, values: Mapping[str, str]) -> Shot:
    fields = {
        name: tuple(fill(phrase, values) for phrase in getattr(shot.fields, name))
        for name in ShotFields.model_fields
    }
    texts: dict[str, object] = {
        name: fill(getattr(shot, name), values) for name in ("text", "translation", "title")
    }
    prompt = None if shot.prompt is None else fill(shot.prompt, values)
    return shot.model_copy(
        update={**texts, "prompt": prompt, "fields": shot.fields.model_copy(update=fields)}
    )


def _character(character: Character, values: Mapping[str, str]) -> Character:
    return character.model_copy(
        update={name: fill(getattr(character, name), values) for name in ("name", "looks", "age", "clothing")}
    )
