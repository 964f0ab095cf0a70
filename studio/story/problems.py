"""What is wrong with a story or an edit of it, in words a person understands."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipelines.request import Notice, as_typed

_Model = TypeVar("_Model", bound=BaseModel)
_SHOWN = 40


class StoryProblem(Exception):
    """A story can't be so; `notice` says why."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(f"{code} {values}" if values else code)
        self.notice = Notice(code, values)


def changed(thing: _Model, **values: Any) -> _Model:
    """A copy of a story, or of a part of it, with these values, checked; StoryProblem names a wrong one."""
    for name in values:
        if name not in type(thing).model_fields:
            raise StoryProblem("field_unknown", field=name[:_SHOWN])
    given = {name: getattr(thing, name) for name in type(thing).model_fields}
    try:
        return type(thing).model_validate(given | values)
    except ValidationError as error:
        raise problem(error) from error


def problem(error: ValidationError) -> StoryProblem:
    """The first thing that is wrong, as a notice that names the field and what is allowed there."""
    found = error.errors(include_url=False)[0]
    # Where it is: the innermost name, not the number of an item in a list.
    field = next((part for part in reversed(found["loc"]) if isinstance(part, str)), "story")
    context, kind = found.get("ctx", {}), found["type"]
    value = as_typed(found.get("input"))
    if kind in ("string_too_long", "too_long"):
        text, high = found["input"], context["max_length"]
        if isinstance(text, str):
            return StoryProblem("text_too_long", field=field, length=len(text), high=high)
        return StoryProblem("list_too_long", field=field, high=high)
    if kind in ("text_control", "string_unicode"):
        return StoryProblem("text_control", field=field)
    if kind == "literal_error":
        allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        return StoryProblem("choice_unknown", field=field, value=value, allowed=allowed)
    for bound, code in (("ge", "number_least"), ("gt", "number_least"), ("le", "number_most")):
        if bound in context:
            return StoryProblem(code, field=field, value=value, bound=float(context[bound]))
    return StoryProblem("value_wrong", field=field, value=value)
