"""All that this project takes from Dagster's private parts, each with the public call it waits for.

A release of Dagster may move any of these. Nothing else of the project imports them.
"""

# Conditions of one's own are public, and what their `evaluate` returns is made of subsets.
# Waits for: a public name for the type of `AutomationContext.candidate_subset`.
from dagster._core.asset_graph_view.entity_subset import EntitySubset

# The tags that hold versions, and which event of a parent was read.
# Waits for: a data version by partition in `MaterializeResult`, of a run over several.
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

# `get_partition_keys_in_range` of dynamic partitions needs an instance, which it takes from here.
# Waits for: `get_partition_keys_in_range(range, dynamic_partitions_store=...)` (deprecated today).
from dagster._core.definitions.partitions.context import partition_loading_context

# What a Pipes client raises where its process fails, and a step whose blocking check failed.
# Waits for: `dagster.DagsterPipesExecutionError` and `dagster.DagsterAssetCheckFailedError`.
from dagster._core.errors import DagsterAssetCheckFailedError, DagsterPipesExecutionError

# What `dagster.Executor` is written in terms of.
# Waits for: public names for the types in the signatures of `Executor.execute` and `.retries`.
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig

# An instance whose runs' output stays where it is written.
# Waits for: `DagsterInstance.get(overrides=...)`.
from dagster._core.instance.ref import InstanceRef

# What a message reader hands its messages to.
# Waits for: `dagster.PipesMessageHandler`, beside `dagster.PipesMessageReader`.
from dagster._core.pipes.context import PipesMessageHandler

# What a check said, run by run.
# Waits for: `DagsterInstance.fetch_asset_check_evaluations`, as there is for materializations.
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

# The setting of such an instance: the name of this class.
# Waits for: a setting of `compute_logs` that names no class.
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

__all__ = [
    "CODE_VERSION_TAG",
    "DATA_VERSION_IS_USER_PROVIDED_TAG",
    "DATA_VERSION_TAG",
    "DEFAULT_DATA_VERSION",
    "NULL_EVENT_POINTER",
    "AssetCheckExecutionRecord",
    "AssetCheckExecutionRecordStatus",
    "DagsterAssetCheckFailedError",
    "DagsterPipesExecutionError",
    "EntitySubset",
    "ExecutionPlan",
    "InstanceRef",
    "NoOpComputeLogManager",
    "PipesMessageHandler",
    "PlanOrchestrationContext",
    "RetryMode",
    "StepDependencyConfig",
    "get_input_data_version_tag",
    "get_input_event_pointer_tag",
    "partition_loading_context",
]
