"""Who is in a story, what its {variables} stand for, and the table that makes one film a row."""

from html import escape

from studio.stories import StoryView
from studio.story.variables import MAX_VALUE, names_in
from studio.text.characters import Character
from studio.ui.context import Page
from studio.ui.markup import attributes, icon
from studio.ui.story.parts import To, actions, do, line, lines, part


def render(page: Page, view: StoryView) -> str:
    """The people, the variables, the table."""
    people = "".join(_person(page, view, person) for person in view.story.characters)
    hint = f'<p class="muted">{escape(page.t("story_cast_hint"))}</p>'
    if not view.may_change:
        return f'<div class="cast">{people or hint}</div>'
    return f'<div class="cast">{hint}{people}{_new(page)}{_variables(page, view)}{_table(page, view)}</div>'


def _person(page: Page, view: StoryView, person: Character) -> str:
    shots = [str(shot.number) for shot in view.shots if person.id in shot.shot.characters]
    where = page.t("story_in_shots", shots=", ".join(shots)) if shots else page.t("story_in_none")
    if not view.may_change:
        told = person.description(view.story.language)
        return (
            f'<section class="part person"><h3>{escape(person.name)}</h3><p>{escape(told)}</p>'
            f'<p class="muted">{escape(where)}</p></section>'
        )
    to, rename = To("set_character", {"id": person.id}), To("rename_character", {"id": person.id})
    away = do(
        page.t("story_person_away"),
        "change",
        edit="remove_character",
        values={"id": person.id},
        symbol="trash",
        look="bare",
        quiet=True,
    )
    key = attributes(class_="part person", data_key=f"p:{person.id}")
    name = line(page.t("story_name"), rename, "name", person.name, most=120, late=True)
    called = ", ".join(person.aliases)
    return (
        f"<section{key}>"
        f'<div class="pair">{name}{away}</div>'
        f"{lines(page.t('story_looks'), to, 'looks', person.looks, rows=1, most=400)}"
        f'<div class="grid cut">{line(page.t("story_age"), to, "age", person.age, most=60)}'
        f"{line(page.t('story_clothing'), to, 'clothing', person.clothing, most=200)}"
        f"{line(page.t('story_aliases'), to, 'aliases', called, as_='list', most=200)}</div>"
        f'<p class="muted">{escape(where)}</p></section>'
    )


def _new(page: Page) -> str:
    box = attributes(
        name="name",
        type="text",
        maxlength=120,
        placeholder=page.t("story_name_new"),
        aria_label=page.t("story_name_new"),
        autocomplete="off",
        required=True,
    )
    add = attributes(type="submit", class_="btn raised", id="story_add_person")
    text = f"{icon('plus')}<span>{escape(page.t('story_add_person'))}</span>"
    return (
        f'<form class="adds-one" data-act="change" data-edit="set_character"><input{box}>'
        f"<button{add}>{text}</button></form>"
    )


def _variables(page: Page, view: StoryView) -> str:
    names = dict.fromkeys((*names_in(view.story), *view.story.variables))
    rows = "".join(
        line(
            f"{{{name}}}",
            To("set_variable", {"name": name}),
            "value",
            view.story.variables.get(name, ""),
            most=MAX_VALUE,
        )
        for name in names
    )
    hint = f'<p class="muted">{escape(page.t("story_variables_hint"))}</p>'
    return part(page.t("story_variables"), hint, f'<div class="grid cut">{rows}</div>' if rows else "")


def _table(page: Page, view: StoryView) -> str:
    names = names_in(view.story)
    if not names:
        return ""
    box = attributes(
        name="text",
        rows=4,
        id="story_table",
        placeholder=page.t("story_table_like", names=", ".join(names)),
        aria_label=page.t("story_table"),
        aria_describedby="story_table_told",
        data_checking=page.t("story_table_checking"),
    )
    bring = attributes(
        type="file",
        accept=".csv,.tsv,.txt,text/csv",
        data_table=True,
        class_="visually-hidden",
        aria_label=page.t("story_table_file"),
    )
    file = f"{icon('table')}<span>{escape(page.t('story_table_file'))}</span><input{bring}>"
    rows = (("animatic", "story_table_draft", "btn raised"), ("film", "story_table_film", "btn"))
    asks = [
        f"<button{attributes(type='submit', class_=look, name='level', value=level, id=text)}>"
        f"{escape(page.t(text))}</button>"
        for level, text, look in rows
    ]
    hint = f'<p class="muted">{escape(page.t("story_table_hint"))}</p>'
    pressed = actions(f'<label class="btn upload">{file}</label>', *asks)
    told = f"<p{attributes(id='story_table_told', role='status', data_own=True)}></p>"
    form = f'<form data-act="table"><textarea{box}></textarea>{told}{pressed}</form>'
    return part(page.t("story_table"), hint, form)
