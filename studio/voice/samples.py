"""What each voice sounds like: short recordings that ship, made by `python -m studio.voice.samples`."""

import sys
import tempfile
import wave
from pathlib import Path

import av
import numpy as np

from studio.voice.speak import speak
from studio.voice.voices import FOLDER, VOICES, sample

SAMPLES = FOLDER / "samples"
BITS = 32_000


def recorded(name: str) -> Path | None:
    """The recording of a voice, Ogg with Opus; None if there is none of that name."""
    path = SAMPLES / f"{name}.ogg"
    return path if name in VOICES and path.is_file() else None


def main() -> int:
    """Record the voices that are named, or all of them."""
    SAMPLES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or VOICES:
        with tempfile.TemporaryDirectory() as home:
            speech = speak(sample(name), voice=name, home=Path(home))
            if speech is None:
                return 1
            _write(speech.path, SAMPLES / f"{name}.ogg")
    return 0


def _write(wav: Path, path: Path) -> None:
    """A WAV of 24 kHz, mono, 16 bit as Opus, whose frames are 20 ms."""
    with wave.open(str(wav)) as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    step = rate // 50
    sound = np.pad(sound, (0, -len(sound) % step))
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=rate, layout="mono")
        stream.bit_rate = BITS
        for start in range(0, len(sound), step):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + step], "s16", "mono")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    sys.exit(main())
