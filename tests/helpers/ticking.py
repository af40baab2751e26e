"""Ticks of schedules and sensors as a daemon evaluates them, without the daemon."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from dagster_shared.record import copy

from iterpref_assets.defs.resources import ProjectResource

NOW = datetime(2026, 1, 4, 2, tzinfo=UTC)


class Ticker:
    """Evaluates schedules and sensors, from one cursor to the next."""

    def __init__(self, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> None:
        self.instance, self.repository = instance, repository
        self._cursors: dict[str, str | None] = {}
        self._run_keys: set[tuple[str, str]] = set()

    def tick(self, automated: dg.ScheduleDefinition | dg.SensorDefinition):
        """What it asks for now; what it says of partitions is carried out."""
        resources = {"project": ProjectResource()}
        if isinstance(automated, dg.ScheduleDefinition):
            context = dg.build_schedule_context(
                self.instance, scheduled_execution_time=NOW,
                repository_def=self.repository, resources=resources,
            )  # fmt: skip
            return automated.evaluate_tick(context)
        with dg.build_sensor_context(
            self.instance, self._cursors.get(automated.name),
            repository_def=self.repository, resources=resources,
        ) as context:  # fmt: skip
            data = automated.evaluate_tick(context)
        self._cursors[automated.name] = data.cursor
        data = copy(data, run_requests=[*self._not_asked_before(automated.name, data)])
        for request in data.dynamic_partitions_requests or ():
            self._carry_out(request)
        return data

    def _not_asked_before(self, name: str, data) -> Iterator[dg.RunRequest]:
        """A daemon launches no second run of the same key."""
        for request in data.run_requests or ():
            if request.run_key is None or (name, request.run_key) not in self._run_keys:
                yield request
                self._run_keys.add((name, request.run_key))

    def _carry_out(self, request) -> None:
        if isinstance(request, dg.AddDynamicPartitionsRequest):
            self.instance.add_dynamic_partitions(
                request.partitions_def_name, request.partition_keys
            )
            return
        for key in request.partition_keys:
            self.instance.delete_dynamic_partition(request.partitions_def_name, key)
