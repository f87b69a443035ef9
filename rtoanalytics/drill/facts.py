"""What every part of the definition has in common: frozen, strict, and no key that nobody knows."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Facts(BaseModel):
    """A frozen part of the definition that refuses unknown keys, NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


Name = Annotated[str, Field(min_length=1, max_length=249)]
Seconds = Annotated[float, Field(ge=0, strict=False)]
PositiveSeconds = Annotated[float, Field(gt=0, strict=False, le=86_400)]
