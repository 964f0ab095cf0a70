"""An answer of the studio that travels long, as on a bad line or from a machine with much to do."""

from playwright.sync_api import Page


def hold_back(page: Page, act: str, seconds: float) -> None:
    """From now on what asks for `act` is sent late; `window.travelled` tells that one was answered."""
    page.evaluate(
        """([act, wait]) => {
          const sent = window.fetch;
          window.fetch = async (address, how) => {
            const slow = String(how?.body).includes(`"act":"${act}"`);
            if (slow) await new Promise((go) => setTimeout(go, wait));
            const answer = await sent(address, how);
            if (slow) setTimeout(() => { window.travelled = true; }, 500);
            return answer;
          };
        }""",
        [act, 1000 * seconds],
    )
