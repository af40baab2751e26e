"""Telling people about failed runs: where to, and by what."""

from __future__ import annotations

import logging
import os
from abc import abstractmethod

import dagster as dg

from iterpref_assets.settings import WEBHOOK

_log = logging.getLogger(__name__)


class NotifierResource(dg.ConfigurableResource):
    """Takes a message to people; subclass it for another way, and bind that as `notifier`."""

    @abstractmethod
    def notify(self, text: str) -> None:
        """Deliver one message.

        Raises:
            Exception: where it could not be delivered; the sensor's tick shows it.
        """


class WebhookNotifier(NotifierResource):
    """Posts to the webhook whose URL the environment holds, where it holds one; logs otherwise."""

    def notify(self, text: str) -> None:
        """Post the message to the webhook."""
        url = os.environ.get(WEBHOOK)
        if url is None:
            _log.warning("%s is not set, so nobody is told: %s", WEBHOOK, text)
            return
        # Imported here: an HTTP client would be a third of the time that definitions take to load.
        from iterpref_assets.operations.webhook import post

        post(url, text)


@dg.definitions
def notifications() -> dg.Definitions:
    """The notifier that the failure sensor uses."""
    return dg.Definitions(resources={"notifier": WebhookNotifier()})
