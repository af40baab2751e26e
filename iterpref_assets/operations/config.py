"""How a deployment is operated: where its UI is, and what it does by itself."""

from __future__ import annotations

from enum import StrEnum
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from iterpref_assets.core.records import Record


class AutomationStatus(StrEnum):
    """What schedules and sensors are until somebody switches them in the UI or by command."""

    STOPPED = "stopped"
    RUNNING = "running"


class OperationsConfig(Record):
    """Where the UI is, and what schedules and sensors do."""

    url: str = Field("http://127.0.0.1:3000", description="The UI, for commands and notifications")
    default_status: AutomationStatus = AutomationStatus.STOPPED
    codeflow_cron: str = Field("0 2 * * 0", description="When rebuild_codeflow runs")
    evaluation_cron: str = Field("0 3 * * *", description="When evaluate_variants runs")
    timezone: str = Field("UTC", description="The time zone of both")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"unknown time zone {name!r}: use a name such as Europe/Berlin")
        return name
