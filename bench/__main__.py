"""`make bench`: every figure that the README and the notes quote, one part after the other."""

import argparse
import importlib
import time

PARTS = {
    "pipeline": "the studio's path over a bare WanPipeline call; cancel; memory over frames",
    "queue": "submit, start, follow, 200 followers, memory over many jobs",
    "film": "a film of 6 and of 24 shots at 1080: memory, seconds a shot",
    "fingerprint": "marks and likeness under attacks, false names, what marking costs",
    "trust": "what checking, marking, sealing and tracing cost beside the work itself",
    "output": "decoding beside the encoder, tiny previews, larger and smoother: CPU",
    "web": "the web process: start, first page, memory, what it imports",
}


def main() -> None:
    """Run all parts, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], help="; ".join(f"{k}: {v}" for k, v in PARTS.items())
    )
    chosen = parser.parse_args().parts or list(PARTS)
    for part in chosen:
        print(f"\n## {part}: {PARTS[part]}", flush=True)
        begun = time.monotonic()
        importlib.import_module(f"bench.{part}").main()
        print(f"({time.monotonic() - begun:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
