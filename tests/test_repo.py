"""The architecture's guard: who may import what, how long a file may be, what the house looks like."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    *sorted(
        path for folder in ("studio", "pipelines", "tests", "bench") for path in (ROOT / folder).rglob("*.py")
    ),
    ROOT / "app.py",
]
PRODUCT = [path for path in SOURCES if path.relative_to(ROOT).parts[0] not in ("tests", "bench")]

_DRAWING = tuple(
    f"pipelines/{name}"
    for name in (
        "loader.py",
        "placing.py",
        "gguf_experts.py",
        "peaks.py",
        "prompts.py",
        "wan.py",
        "first_frame.py",
        "preview.py",
        "cpu_conv.py",
        "decode.py",
        "engine.py",
        "speed.py",
        "schedulers.py",
        "adapters.py",
        "sketch",
        "weights.py",
        "tiny_vae.py",
        "larger.py",
        "smoother.py",
    )
)
# What may be imported only in these places (paths relative to the repository, a folder counts for its files).
ONLY_HERE = {
    "gradio": ("studio/ui", "app.py"),
    "torch": _DRAWING,
    "diffusers": _DRAWING,
    "transformers": ("pipelines/prompts.py", "pipelines/sketch"),
    "subprocess": ("studio/media/ffmpeg.py", "studio/supervisor.py", "pipelines/sketch/train.py", "app.py"),
    "pipelines.loader": ("studio/worker.py", "studio/workflows.py", "pipelines"),
    "pipelines.wan": ("studio/worker.py", "studio/workflows.py", "pipelines"),
}
# Layers from the outside in: a room imports only rooms further in (or beside it).
LAYERS = (
    ("app", "studio/demo", "studio/models_cli"),
    (
        "studio/ui",
        "studio/web",
        "studio/story_routes",
        "studio/style_routes",
        "studio/table_routes",
        "studio/grid_routes",
        "studio/model_routes",
        "studio/picture_routes",
        "studio/room/app",
        "studio/room/pages",
        "studio/doors",
        "studio/gate",
        "studio/api",
    ),
    ("studio/room/telling", "studio/room/sheet"),
    (
        "studio/core",
        "studio/forms",
        "studio/room",
        "studio/stories",
        "studio/story_tables",
        "studio/story_desk",
        "studio/story_view",
        "studio/grids",
        "studio/editing",
        "studio/grid_cells",
        "studio/grid_view",
        "studio/model_room",
        "studio/model_words",
        "studio/votes",
    ),
    ("studio/views",),
    ("studio/worker",),
    ("studio/cloud_work",),
    ("studio/workflows",),
    ("studio/mosaics", "studio/retouching"),
    ("studio/filming", "studio/media_work"),
    ("studio/joining", "studio/film_file"),
    ("studio/hands",),
    ("studio/supervisor", "studio/takeover", "studio/reporter", "studio/lock"),
    ("studio/film_takes", "studio/film_finish", "studio/finishing"),
    ("studio/claims",),
    ("studio/reviewing",),
    ("studio/pictures",),
    ("studio/exporting", "studio/footage"),
    ("studio/api_tasks",),
    ("studio/jobs", "studio/outlook", "studio/library", "studio/follow", "studio/story_pulse"),
    ("studio/style_store",),
    ("studio/endings", "studio/checking"),
    ("studio/picture_rows",),
    ("studio/warming",),
    ("studio/rows", "studio/fleet", "studio/tickets", "studio/estimates", "studio/prices", "studio/api_keys"),
    ("studio/cutting", "studio/narrating"),
    (
        "studio/text",
        "studio/edits",
        "studio/voice",
        "studio/story",
        "studio/media",
        "studio/trust",
        "studio/recipe",
        "studio/ways",
        "studio/access",
        "studio/styles",
    ),
    ("studio/db", "studio/settings", "studio/archive", "studio/onnx", "studio/refusal"),
    ("studio/environment",),
    ("studio/migrations",),
    ("studio/words",),
    ("pipelines",),
)
# Commands of their own; OMP_WAIT_POLICY counts only if it is set before torch is imported.
SETS_THREADING = ("pipelines/sketch/train.py", "pipelines/sketch/evaluate.py")


def _inside(path: Path, places: tuple[str, ...]) -> bool:
    name = path.relative_to(ROOT).as_posix()
    return any(name == place or name.startswith(place + "/") for place in places)


class Read(NamedTuple):
    """What the guard wants to know of a file; its tree would take a hundred times the memory."""

    imports: frozenset[str]
    functions: tuple[tuple[str, int], ...]
    lines: int
    has_docstring: bool


@cache
def _read(path: Path) -> Read:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    imports, functions = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            imports |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            functions.append((node.name, node.end_lineno - node.lineno + 1))
    return Read(frozenset(imports), tuple(functions), text.count("\n"), bool(ast.get_docstring(tree)))


def test_a_package_is_imported_only_where_it_belongs() -> None:
    for path in PRODUCT:
        for package, places in ONLY_HERE.items():
            if any(name == package or name.startswith(package + ".") for name in _read(path).imports):
                allowed = f"{package} may be imported only in {', '.join(places)}"
                assert _inside(path, places), f"{path.relative_to(ROOT)}: {allowed}"


@cache
def _layer(name: str) -> int | None:
    for depth, rooms in enumerate(LAYERS):
        if any(name == room or name.startswith(room + "/") for room in rooms):
            return depth
    return None


def test_imports_go_one_way() -> None:
    wrong = []
    for path in PRODUCT:
        own = _layer(path.relative_to(ROOT).with_suffix("").as_posix())
        if own is None:
            continue
        for name in _read(path).imports:
            theirs = _layer(name.replace(".", "/"))
            if theirs is not None and theirs < own:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}, which stands above it")
    assert wrong == []


def test_only_settings_read_the_environment() -> None:
    readers = [p for p in PRODUCT if re.search(r"\bos\.(environ|getenv)\b", p.read_text(encoding="utf-8"))]
    assert {p.relative_to(ROOT).as_posix() for p in readers} <= {"studio/settings.py", *SETS_THREADING}


def test_files_and_functions_stay_readable() -> None:
    wrong = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if _read(path).lines > 400:
            wrong.append(f"{name} has over 400 lines")
        if path.name in {"utils.py", "helpers.py", "common.py"}:
            wrong.append(f"{name} says nothing by its name")
        for function, length in _read(path).functions:
            limit = 120 if function == "build" else 62
            if length > limit:
                wrong.append(f"{name}: {function} has {length} lines; {limit} is the most")
    assert wrong == []


def test_every_module_says_what_lives_there() -> None:
    silent = [p.relative_to(ROOT).as_posix() for p in PRODUCT if not _read(p).has_docstring]
    assert silent == []


def test_the_readme_fits_one_reading() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 150


def test_requirements_pin_torch_exactly_and_give_every_line_a_reason() -> None:
    lines = [
        line
        for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert any(re.match(r"torch==\d", line) for line in lines)
    assert [line for line in lines if "# " not in line] == []
    assert not any(re.match(r"torch(vision|audio)", line) for line in lines)
