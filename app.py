"""Starts the studio: the web process, and one local worker beside it. Nothing happens at import."""

import asyncio
import logging
import secrets
import signal
import socket
import sys
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI

from pipelines.request import Notice
from studio.core import Studio
from studio.recipe import MAX_FILE_BYTES
from studio.settings import Settings, SettingsError, quiet_libraries
from studio.supervisor import LocalWorker
from studio.trust.texts import read_ahead
from studio.web import make_app
from studio.words import LANGUAGES, say, terminal, terminal_language

_EVERYWHERE = ("0.0.0.0", "::", "")
# Films that were dropped on the page to get their settings back: looked for hourly, kept a day.
_UPLOADS_KEPT = (3600, 24 * 3600)


def main() -> int:
    """Run until Ctrl+C or SIGTERM; the exit code is 0 then, and 2 if the studio may not or cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for talkative in ("httpx", "dbos", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    # By default SIGTERM ends a process on the spot; the worker would then run on without us.
    signal.signal(signal.SIGTERM, _leave)
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        return _refuse(error.notice)
    if problem := settings.problem() or _signing(settings):
        return _refuse(problem)
    door = _listen(settings)
    if isinstance(door, Notice):
        return _refuse(door)
    with door:
        return _serve(settings, door)


def build_app(studio: Studio) -> FastAPI:
    """The whole web application: our routes, and the page once in each language."""
    quiet_libraries(uploads=studio.settings.tmp / "uploads")
    # Only now: Gradio reads the environment when it is imported, and takes its time.
    import gradio

    from studio.ui import page, theme

    app = make_app(studio)
    for language in LANGUAGES:
        blocks = page.build(studio, language)
        blocks.delete_cache = _UPLOADS_KEPT
        # Only then does Gradio refuse files that nobody uploaded: a mounted page is never "launched", and
        # whoever may call an upload's function could have the server open any path.
        blocks.has_launched = True
        gradio.mount_gradio_app(
            app,
            blocks,
            path=f"/{language}",
            app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
            max_file_size=MAX_FILE_BYTES,
            show_error=False,
            run_history=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            enable_monitoring=False,
            **theme.mount_options(),
        )
    return app


def _serve(settings: Settings, door: socket.socket) -> int:
    studio = Studio(settings)
    worker = LocalWorker(settings) if settings.local_worker else None
    try:
        if worker:
            worker.start()  # it loads while the page is being built
        app = build_app(studio)
        port = door.getsockname()[1]
        host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
        address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        print(terminal("open", terminal_language(), address=address), flush=True)
        threading.Thread(target=read_ahead, name="lists", daemon=True).start()
        threading.Thread(target=studio.upkeep.run, name="library", daemon=True).start()
        threading.Thread(target=studio.model_room.run, name="models", daemon=True).start()
        if settings.share:
            threading.Thread(target=_share, args=(settings, host, port), name="share", daemon=True).start()
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        config = uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[door])
    except KeyboardInterrupt:
        pass
    finally:
        # A second Ctrl+C must not leave the worker half stopped.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if worker:
            print(terminal("stopping", terminal_language()), flush=True)
            worker.stop()
    return 0


def _signing(settings: Settings) -> Notice | None:
    """Why exports can't be signed, if so: better told now than when the first clip is done.

    A self-made certificate is made on the way, and the warning said that it proves nothing to others.
    """
    # The signing library takes a moment to load.
    from studio.trust.certificate import SealError, certificate_for
    from studio.trust.credentials import trial

    try:
        certificate = certificate_for(settings)
    except SealError as error:
        return error.notice
    if warning := certificate.notice():
        print(say(warning, terminal_language()), flush=True)
    return trial(certificate)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log tells anything: pages that still follow are let go at the end."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError)


def _listen(settings: Settings) -> socket.socket | Notice:
    """The socket to serve on, taken before anything is started; or why there is none."""
    try:
        found = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        return Notice("address_wrong", {"host": settings.host, "reason": error.strerror or str(error)})
    family, _, _, _, address = found[0]
    try:
        return socket.create_server(address[:2], family=family, backlog=2048)
    except PermissionError:
        return Notice("port_forbidden", {"port": settings.port})
    except OSError as error:
        taken = Notice("port_taken", {"host": settings.host, "port": settings.port})
        wrong = Notice("address_wrong", {"host": settings.host, "reason": error.strerror or str(error)})
        return taken if "in use" in str(error) else wrong


def _share(settings: Settings, host: str, port: int) -> None:
    """Ask Gradio's service for a public link, and say it; without one the local page works on."""
    from gradio import networking

    # Gradio would write it into whatever folder we were started from.
    networking.CERTIFICATE_PATH = str(settings.tmp / "tunnel.pem")  # type: ignore[attr-defined]
    try:
        address = networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)
    except Exception as error:  # whatever it is, the page is not to suffer from it
        reason = " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
        print(say("share_failed", terminal_language(), reason=reason), file=sys.stderr, flush=True)
    else:
        print(terminal("shared", terminal_language(), address=address), flush=True)


def _refuse(notice: Notice) -> int:
    print(say(notice, terminal_language()), file=sys.stderr)
    return 2


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
