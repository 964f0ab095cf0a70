"""Every setting of the studio, read from the environment once. The only reader of `os.environ`."""

import logging
import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from threadpoolctl import threadpool_limits

from pipelines import cloud_models
from pipelines.cloud_facts import Region
from pipelines.models import DEFAULT_MODEL, ModelSpec
from pipelines.request import Notice
from studio import environment as read
from studio.environment import SettingsError as SettingsError
from studio.words import say

log = logging.getLogger(__name__)

ENV_NAMES: tuple[str, ...] = (
    "STUDIO_HOME", "DATABASE_URL", "HOST", "GRADIO_SERVER_NAME", "PORT", "GRADIO_SERVER_PORT", "SHARE",
    "ACCESS_PASSWORD", "OPEN_DEMO", "ADMIN_TOKEN", "SECRET_KEY", "MODEL", "DEVICE", "WORKER_ID", "LABEL_TEXT",
    "MODEL_IDLE_MINUTES", "WARM_AHEAD",
    "LOCAL_WORKER", "PRICE_PER_GPU_HOUR", "CURRENCY", "HF_TOKEN", "HF_ENDPOINT",
    "SPEECH_KIND", "SPEECH_BASE_URL", "SPEECH_API_KEY", "SPEECH_MODEL", "SPEECH_VOICE",
    "LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL",
    "DASHSCOPE_API_KEY", "DASHSCOPE_TOKEN_FILE", "DASHSCOPE_REGION", "DASHSCOPE_BASE_URL", "CLOUD_JOBS",
    "AIGC_PRODUCER", "C2PA_CERT", "C2PA_KEY", "C2PA_ALG", "C2PA_TSA_URL",
    "PICTURE_CHECKERS", "VISION_BASE_URL", "VISION_API_KEY", "VISION_MODEL",
    "MODERATION_KIND", "MODERATION_BASE_URL", "MODERATION_API_KEY", "MODERATION_MODEL",
)  # fmt: skip
"""Every environment variable that is read; docs/settings.md explains each (a test compares)."""

# OpenMP's threads otherwise spin while they wait: twice the time on a machine that does anything else, too.
# numpy's can't be kept from it; what it does here is small, and five times the work with two of them.
_TORCH = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

# A card's free memory otherwise falls into pieces where sizes differ, and a plan fills nearly all of it.
_CARD = {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}


class Settings(BaseModel):
    """All settings. Frozen; secrets and addresses that can hold a password never appear in its repr.

    Empty `database_url` and `worker_id` are filled in: SQLite in the home, host name and device.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    studio_home: Path = Path("~/.wan-studio")
    database_url: str = Field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 7860
    share: bool = False
    access_password: str = Field(default="", repr=False)
    open_demo: bool = False
    admin_token: str = Field(default="", repr=False)
    secret_key: str = Field(default="", repr=False)
    model: str = DEFAULT_MODEL
    device: str = ""
    worker_id: str = ""
    label_text: str = read.LABEL
    local_worker: bool = True
    model_idle_minutes: int = Field(default=30, ge=0)
    warm_ahead: bool = True
    price_per_gpu_hour: float | None = None
    currency: str = "USD"
    hf_token: str = Field(default="", repr=False)
    hf_endpoint: str = ""
    speech_kind: Literal["openai", "dashscope"] = "openai"
    speech_base_url: str = ""
    speech_api_key: str = Field(default="", repr=False)
    speech_model: str = ""
    speech_voice: str = ""
    llm_base_url: str = ""
    llm_api_key: str = Field(default="", repr=False)
    llm_model: str = ""
    dashscope_api_key: str = Field(default="", repr=False)
    dashscope_token_file: str = ""
    dashscope_region: Region | Literal[""] = ""
    dashscope_base_url: str = ""
    cloud_jobs: int = Field(default=3, ge=1, le=32)
    aigc_producer: str = "wan-studio"
    c2pa_cert: str = ""
    c2pa_key: str = ""
    c2pa_alg: str = ""
    c2pa_tsa_url: str = ""
    picture_checkers: tuple[str, ...] = ("opennsfw",)
    vision_base_url: str = ""
    vision_api_key: str = Field(default="", repr=False)
    vision_model: str = ""
    moderation_kind: Literal["openai", "dashscope"] = "openai"
    moderation_base_url: str = ""
    moderation_api_key: str = Field(default="", repr=False)
    moderation_model: str = ""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        home = Path(given.get("studio_home") or "~/.wan-studio").expanduser().absolute()
        filled = {**given, "studio_home": home}
        filled["database_url"] = given.get("database_url") or f"sqlite:///{home / 'studio.db'}"
        filled["worker_id"] = (
            given.get("worker_id") or f"{socket.gethostname()}-{given.get('device') or 'auto'}"
        )
        return filled

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; `SettingsError` names the variable that can't be used."""
        env = {name: value.strip() for name, value in (os.environ if environ is None else environ).items()}
        home = Path(env.get("STUDIO_HOME") or "~/.wan-studio")
        for notice in cloud_models.learn(home.expanduser().absolute()):
            log.warning("%s", say(notice, "en"))
        return cls(
            studio_home=home,
            database_url=read.database(env.get("DATABASE_URL", "")),
            host=env.get("HOST") or env.get("GRADIO_SERVER_NAME") or "127.0.0.1",
            port=read.port(env, "PORT" if env.get("PORT") else "GRADIO_SERVER_PORT"),
            share=read.switch(env, "SHARE"),
            access_password=env.get("ACCESS_PASSWORD", ""),
            open_demo=read.switch(env, "OPEN_DEMO"),
            admin_token=env.get("ADMIN_TOKEN", ""),
            secret_key=env.get("SECRET_KEY", ""),
            model=read.model(env.get("MODEL") or DEFAULT_MODEL),
            device=read.device(env.get("DEVICE", "")),
            worker_id=env.get("WORKER_ID", ""),
            label_text=read.label(env.get("LABEL_TEXT")),
            local_worker=read.switch(env, "LOCAL_WORKER", default=True),
            model_idle_minutes=read.minutes(env, "MODEL_IDLE_MINUTES", default=30),
            warm_ahead=read.switch(env, "WARM_AHEAD", default=True),
            price_per_gpu_hour=read.price(env.get("PRICE_PER_GPU_HOUR", "")),
            currency=read.currency(env.get("CURRENCY") or "USD"),
            hf_token=env.get("HF_TOKEN", ""),
            hf_endpoint=read.web_address("HF_ENDPOINT", env.get("HF_ENDPOINT", "")),
            speech_kind=read.kind("SPEECH_KIND", env.get("SPEECH_KIND", "")),
            speech_base_url=read.web_address("SPEECH_BASE_URL", env.get("SPEECH_BASE_URL", "")),
            speech_api_key=read.key("SPEECH_API_KEY", env.get("SPEECH_API_KEY", "")),
            speech_model=env.get("SPEECH_MODEL", ""),
            speech_voice=env.get("SPEECH_VOICE", ""),
            llm_base_url=read.web_address("LLM_BASE_URL", env.get("LLM_BASE_URL", "")),
            llm_api_key=read.key("LLM_API_KEY", env.get("LLM_API_KEY", "")),
            llm_model=env.get("LLM_MODEL", ""),
            **read.dashscope(env),
            aigc_producer=read.producer(env.get("AIGC_PRODUCER") or "wan-studio"),
            **read.credentials(env),
            picture_checkers=read.checkers(env.get("PICTURE_CHECKERS", "")),
            vision_base_url=read.safe_address("VISION_BASE_URL", env.get("VISION_BASE_URL", "")),
            vision_api_key=read.key("VISION_API_KEY", env.get("VISION_API_KEY", "")),
            vision_model=env.get("VISION_MODEL", ""),
            moderation_kind=read.kind("MODERATION_KIND", env.get("MODERATION_KIND", "")),
            moderation_base_url=read.safe_address("MODERATION_BASE_URL", env.get("MODERATION_BASE_URL", "")),
            moderation_api_key=read.key("MODERATION_API_KEY", env.get("MODERATION_API_KEY", "")),
            moderation_model=env.get("MODERATION_MODEL", ""),
        )

    @property
    def media(self) -> Path:
        """The folder of published files."""
        return self.studio_home / "media"

    @property
    def tmp(self) -> Path:
        """The folder of files being written; the same disk as `media`, so that publishing is a rename."""
        return self.studio_home / "tmp"

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.studio_home / "logs"

    @property
    def cloud_region(self) -> Region | None:
        """Whose models count; None for another server of this wire format, whose nobody knows."""
        if self.dashscope_region == "":
            return None if self.dashscope_base_url else "cn"
        return self.dashscope_region

    def offers(self, spec: ModelSpec) -> bool:
        """Whether a model can be asked for here: a cloud's needs a key, and to be offered in its region."""
        if spec.cloud is None:
            return True
        region = self.cloud_region
        return self.has_cloud and (region is None or region in spec.cloud.regions)

    @property
    def has_cloud(self) -> bool:
        """Whether there is a key for the cloud."""
        return bool(self.dashscope_api_key or self.dashscope_token_file)

    def make_folders(self) -> None:
        """Make the home and its folders where they are not there yet; `OSError` if they can't be made."""
        self.studio_home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.media, self.tmp, self.logs):
            folder.mkdir(exist_ok=True)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the page."""
        return not self.share and read.is_loopback(self.host)

    @property
    def private(self) -> bool:
        """Whether everyone who reaches the page is its admin: this machine only, nothing set to share it."""
        return self.loopback and not (self.access_password or self.open_demo or self.admin_token)

    def problem(self) -> Notice | None:
        """What must be changed before the studio may start, if anything."""
        if not self.loopback and not (self.access_password or self.open_demo):
            return Notice("sharing_needs_password", {"name": "SHARE" if self.share else "HOST"})
        try:
            self.make_folders()
            probe = self.tmp / f".{secrets.token_hex(4)}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            return Notice(
                "home_not_writable", {"path": str(self.studio_home), "reason": error.strerror or ""}
            )
        return None

    def worker_environment(self) -> dict[str, str]:
        """The environment for a worker process: this one's, with these settings and what torch needs."""
        own = {
            "STUDIO_HOME": str(self.studio_home),
            "DATABASE_URL": self.database_url,
            "MODEL": self.model,
            "DEVICE": self.device,
            "WORKER_ID": self.worker_id,
            "LABEL_TEXT": self.label_text,
            "MODEL_IDLE_MINUTES": str(self.model_idle_minutes),
            "WARM_AHEAD": "1" if self.warm_ahead else "0",
            "AIGC_PRODUCER": self.aigc_producer,
            "C2PA_CERT": self.c2pa_cert,
            "C2PA_KEY": self.c2pa_key,
            "C2PA_ALG": self.c2pa_alg,
            "C2PA_TSA_URL": self.c2pa_tsa_url,
            "HF_TOKEN": self.hf_token,
            "HF_ENDPOINT": self.hf_endpoint,
            "SPEECH_KIND": self.speech_kind,
            "SPEECH_BASE_URL": self.speech_base_url,
            "SPEECH_API_KEY": self.speech_api_key,
            "SPEECH_MODEL": self.speech_model,
            "SPEECH_VOICE": self.speech_voice,
            "DASHSCOPE_API_KEY": self.dashscope_api_key,
            "DASHSCOPE_TOKEN_FILE": self.dashscope_token_file,
            "DASHSCOPE_REGION": self.dashscope_region,
            "DASHSCOPE_BASE_URL": self.dashscope_base_url,
            "CLOUD_JOBS": str(self.cloud_jobs),
            "PICTURE_CHECKERS": ",".join(self.picture_checkers),
            "VISION_BASE_URL": self.vision_base_url,
            "VISION_API_KEY": self.vision_api_key,
            "VISION_MODEL": self.vision_model,
            "MODERATION_KIND": self.moderation_kind,
            "MODERATION_BASE_URL": self.moderation_base_url,
            "MODERATION_API_KEY": self.moderation_api_key,
            "MODERATION_MODEL": self.moderation_model,
        }
        kept = {name: value for name, value in os.environ.items() if name not in own}
        return {**_CARD, **kept, **{name: value for name, value in own.items() if value}, **_TORCH}

    def signing_key(self) -> str:
        """The key that signs cookies: SECRET_KEY, or one made once and kept in the home (mode 0600)."""
        if self.secret_key:
            return self.secret_key
        path = self.studio_home / "secret.key"
        self.studio_home.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{secrets.token_hex(8)}.key")
        try:
            if not path.exists():
                with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_urlsafe(48))
                    file.flush()
                    os.fsync(file.fileno())
                os.link(fresh, path)  # whole or not at all, and the first of two processes wins
        except FileExistsError:
            pass
        except OSError:
            os.replace(fresh, path)  # a file system without links; there the last of two wins
        finally:
            fresh.unlink(missing_ok=True)
        return path.read_text()

    def sealing_key(self) -> bytes:
        """The same as bytes: labels, fingerprints, cards and the ledger are sealed with it."""
        return self.signing_key().encode()


def quiet_libraries(*, uploads: Path) -> None:
    """Keep Gradio and huggingface_hub from calling home, uploads in our folder, and numpy to one thread.

    Must run before the first two are imported.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    threadpool_limits(1, user_api="blas")


def prepare_torch() -> None:
    """Set what a worker needs, also one started by hand. Must run before torch is imported."""
    for name, value in (_CARD | _TORCH).items():
        os.environ.setdefault(name, value)
