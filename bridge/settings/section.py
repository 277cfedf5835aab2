"""What all sections of the settings are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path.expanduser()


Port = Annotated[int, Field(ge=1, le=65535)]
PortOrOff = Annotated[int, Field(ge=0, le=65535)]
PerSecond = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=31_536_000, allow_inf_nan=False)]
FilePath = Annotated[Path, AfterValidator(_from_folder)]
"""A relative path starts at the folder of the configuration file."""


class Section(BaseModel):
    """A part of the settings; unknown keys are an error and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
