"""A web service on loopback for as long as a test needs it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        # A client that has heard enough closes the line.
        pass


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler], service: Any) -> Iterator[str]:
    """The address of a server whose handlers find `service` as their own attribute."""
    server = _Quiet(("127.0.0.1", 0), type("Handler", (handler,), {"service": service}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
