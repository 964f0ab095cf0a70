"""Where Chromium is for the browser tests; run as a module it gets one if none is there."""

import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """The path of a Chromium: the system's, else the one Playwright downloaded; None if there is neither."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def main() -> int:
    """Get a Chromium by Playwright's own download, else by the package manager; say so if neither works."""
    if find_chromium():
        return 0
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get"):
        sudo = [] if shutil.which("sudo") is None else ["sudo", "-n"]
        ways += [[*sudo, "apt-get", "update", "-qq"], [*sudo, "apt-get", "install", "-y", "-qq", "chromium"]]
    for argv in ways:
        print("getting Chromium for the browser tests:", " ".join(argv), flush=True)
        subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if find_chromium():
            return 0
    print(
        "No Chromium was found, and neither Playwright's download nor the package manager could get one.\n"
        "Install Chromium or Chrome by hand, then run `make test` again.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
