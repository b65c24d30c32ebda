"""From the best experiment to the endpoint that the nightly calls: publish, deploy, test, compare, then promote.

python -m flows.deploy_model --name 2026-11 --hours 24 --hour-price 12.5 --confirm
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import orjson
from prefect import flow, get_run_logger
from prefect.artifacts import acreate_table_artifact

from flows.wiring import command_line
from flows.wiring.blocks import SummarizerEndpoint, find_endpoint, previous_of, swap_endpoints, switch_endpoint
from flows.wiring.evaluations import evaluated
from flows.wiring.labeled import check_labels, labeled_conversations
from flows.wiring.services import open_platform, open_warehouse
from flows.wiring.settings import Settings, load_settings
from tasks.domain.errors import NotPromoted, UsageError
from tasks.evaluating.evaluation import as_json
from tasks.reviewing.rules.holdout import is_held_out
from tasks.reviewing.rules.labels import LabeledExample
from tasks.running.pausing import poll_until_done
from tasks.tuning.rollout import (
    DeploymentRecord,
    begin_deployment,
    deploy_service,
    deployment_of,
    find_deployment,
    publish_model,
    retire_service,
)
from tasks.tuning.rules.rollout_record import (
    ModelRollout,
    ServiceSpec,
    as_result,
    check_agreed,
    format_summary,
    shortfalls,
)
from tasks.tuning.rules.tuning_record import Tuning, check_name
from tasks.tuning.training_jobs import tuning_of

SERVING = "serving"
SMOKE_TESTS = 5
FEWEST_LABELS = 10


@flow(name="deploy-model", flow_run_name="{action}-{name}")
async def deploy_model(
    name: str,
    action: Literal["deploy", "rollback", "retire"] = "deploy",
    experiment: int = 0,
    endpoint: str = "",
    replicas: int = 1,
    pool: Literal["private", "public"] = "private",
    resource: str = "GPU-I-2",
    hours: int = 24,
    hour_price: float = 0.0,
    confirm: bool = False,
    block: str = SERVING,
    margin: float = 2.0,
    labels: str = "",
    start: date | None = None,
    end: date | None = None,
    give_up_hours: float = 2.0,
    poll_seconds: float = 60.0,
    settings: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Bring a fine-tuned model into service, take the last promotion back, or give back what is paid for.

    Args:
        name: of the tuning.
        action: "deploy", "rollback" (the block says again what it said before) or "retire" (give back what can be).
        experiment: which one; 0 is the best.
        endpoint: the end of the endpoint's address; left out, made of the name.
        replicas: of the service.
        pool: private replicas are reserved and paid in advance; the public pool is paid by use.
        resource: what a private replica runs on.
        hours: how long private replicas are reserved.
        hour_price: of one replica for an hour, for the estimate.
        confirm: the service costs money, and that is agreed to.
        block: the endpoint block that the nightly reads.
        margin: on no judged figure may the candidate be more points below the serving model.
        labels: a file of labels, whose conversations are read from the logs; left out, the warehouse's labels.
        start: the first day of labeled conversations; left out, the oldest.
        end: the last day, itself included.
        give_up_hours: publishing or deploying may take so long.
        poll_seconds: between two looks at the platform.
        settings: any setting by its name.
    """
    config = load_settings({"endpoint_block": "", **(settings or {})})
    warehouse, give_up_after = open_warehouse(config), timedelta(hours=give_up_hours)
    if action == "rollback":
        return await _roll_back(find_deployment(warehouse, check_name(name)), name, block)
    if action == "retire":
        return await _retire(deployment_of(warehouse, check_name(name)), block, config, poll_seconds)
    tuning = tuning_of(warehouse, check_name(name))
    wanted = ServiceSpec(endpoint, replicas, pool, resource, hours)
    record = await begin_deployment(warehouse, tuning, experiment, wanted)

    async with open_platform(config) as platform:
        get_run_logger().info(check_agreed(record.deployment, hour_price, confirm))
        if not await poll_until_done(lambda: publish_model(record, platform, give_up_after), poll_seconds):
            return as_result(record.deployment)
        if not await poll_until_done(lambda: deploy_service(record, platform, give_up_after), poll_seconds):
            return as_result(record.deployment)

    if not await _is_asked(block, record.deployment):
        labeled = _examination(tuning, labeled_conversations(config, start, end, labels))
        before, serving = await _serving(block, config, settings or {})
        await _judge(record, config, serving, labeled, margin)
        await switch_endpoint(block, before, record.deployment.endpoint)
    await record.save(record.deployment.moved("promoted", datetime.now(UTC)))
    return as_result(record.deployment)


def _examination(tuning: Tuning, labeled: Sequence[LabeledExample]) -> list[LabeledExample]:
    """The labeled conversations that the model was not trained on."""
    unseen = [one for one in labeled if is_held_out(one.content_hash) or not tuning.data.built]
    if len(unseen) < FEWEST_LABELS:
        raise NotPromoted(
            f"Only {len(unseen)} labeled conversations are held out, too few to tell models apart "
            f"({FEWEST_LABELS} at least): review more, then run the same again."
        )
    return unseen


async def _serving(block: str, config: Settings, settings: dict[str, Any]) -> tuple[SummarizerEndpoint, Settings]:
    """What the nightly asks now, as a block and as settings: the block's word, or without one the settings'."""
    found = await find_endpoint(block)
    if found is not None:
        return found, load_settings({**settings, "endpoint_block": block})
    # Nights in bulk ask the same model, only hours later.
    summarizer = "qianfan" if config.summarizer == "qianfan-batch" else config.summarizer
    before = SummarizerEndpoint(summarizer=summarizer, endpoint=config.endpoint)
    return before, config.model_copy(update={"summarizer": summarizer})


async def _judge(
    record: DeploymentRecord, config: Settings, serving: Settings, labeled: Sequence[LabeledExample], margin: float
) -> None:
    """Examine the candidate beside the serving model.

    Raises:
        NotPromoted: it does not answer as it should, or is worse beyond the margin.
    """
    deployment = record.deployment
    asked = {"summarizer": "qianfan", "endpoint": deployment.endpoint, "rpm": None, "tpm": None}
    candidate = config.model_copy(update=asked)
    smoke = await evaluated(candidate, labeled[:SMOKE_TESTS])
    readable = smoke.scores.means["format/parseable"]
    comparison: dict[str, Any] = {}
    if readable != 100:
        found = [f"of {SMOKE_TESTS} known conversations it answered only {readable:.0f}% readably"]
    else:
        baseline, examined = await evaluated(serving, labeled), await evaluated(candidate, labeled)
        comparison = as_json(baseline.rows, examined.rows)
        found = shortfalls(comparison, margin)
        await acreate_table_artifact(
            [{"figure": figure, **one} for figure, one in comparison.items()],
            key=f"promotion-{deployment.name}",
            description=f"候选与现用模型 · {examined.model} against {baseline.model}",
        )
    await record.save(
        deployment.moved(
            "refused" if found else "serving", datetime.now(UTC), comparison=comparison, reason="; ".join(found)
        )
    )
    if found:
        raise NotPromoted(
            f"Not promoted, beyond the margin of {margin:g} points: {'; '.join(found)}. The nightly's endpoint is as "
            f"it was. Service {deployment.plan.name} is still paid for: --retire gives it back."
        )


async def _roll_back(record: DeploymentRecord | None, name: str, block: str) -> dict[str, Any]:
    if record and record.deployment.stage == "retired" and await _is_asked(previous_of(block), record.deployment):
        raise UsageError(
            f"Before the last switch block {block!r} named {record.deployment.endpoint}, which is retired: "
            "deploy it again, or name another endpoint in the block."
        )
    restored, replaced = await swap_endpoints(block)
    return {
        "name": name,
        "stage": "rolled back",
        "endpoint": restored.endpoint or restored.summarizer,
        "before": replaced.endpoint or replaced.summarizer,
    }


async def _retire(record: DeploymentRecord, block: str, config: Settings, poll_seconds: float) -> dict[str, Any]:
    if await _is_asked(block, record.deployment):
        raise UsageError(f"The nightly asks this service (block {block!r}): --rollback first, then --retire.")
    async with open_platform(config) as platform:
        await poll_until_done(lambda: retire_service(record, platform), poll_seconds)
    return as_result(record.deployment)


async def _is_asked(block: str, deployment: ModelRollout) -> bool:
    now = await find_endpoint(block)
    return now is not None and bool(deployment.endpoint) and now.endpoint == deployment.endpoint


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.deploy_model", "Bring a fine-tuned model into service, or take it out again.")
    parser.add_argument("--name", required=True, help="of the tuning; give it again to go on where it was")
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "--rollback",
        action="store_const",
        dest="action",
        const="rollback",
        default="deploy",
        help="let the block say again what it said before the last promotion",
    )
    actions.add_argument(
        "--retire",
        action="store_const",
        dest="action",
        const="retire",
        default="deploy",
        help="release the service; hours paid in advance are not given back and run out by themselves",
    )
    parser.add_argument("--experiment", type=int, default=0, help="which one (default: the best)")
    parser.add_argument("--endpoint-suffix", default="", help="the end of the endpoint's address (default: by name)")
    parser.add_argument("--replicas", type=int, default=1, help="of the service (default: 1)")
    parser.add_argument(
        "--pool",
        choices=("private", "public"),
        default="private",
        help="private: reserved, paid in advance; public: paid by use (default: private)",
    )
    parser.add_argument("--resource", default="GPU-I-2", help="what a private replica runs on (default: GPU-I-2)")
    parser.add_argument("--hours", type=int, default=24, help="how long private replicas are reserved (default: 24)")
    parser.add_argument("--hour-price", type=float, default=0.0, help="of a replica for an hour, for the estimate")
    parser.add_argument("--confirm", action="store_true", default=False, help="agree to what the service costs")
    parser.add_argument("--block", default=SERVING, help=f"the endpoint block of the nightly (default: {SERVING})")
    parser.add_argument(
        "--margin",
        type=float,
        default=2.0,
        help="points by which the candidate may be below the serving model (default: 2)",
    )
    command_line.add_label_flags(parser)
    parser.add_argument("--give-up-hours", type=float, default=2.0, help="for publishing and deploying (default: 2)")
    parser.add_argument("--poll-seconds", type=float, default=30.0, help="between two looks (default: 30)")
    parser.add_argument("--json", action="store_true", default=False, help="the last line on stdout is one JSON object")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)
    own = {name: value for name, value in vars(args).items() if name not in {*settings, "json", "endpoint_suffix"}}

    async def command() -> dict[str, Any]:
        done: dict[str, Any] = await deploy_model(**own, endpoint=args.endpoint_suffix, settings=settings)
        return done

    def tell(done: dict[str, Any]) -> str:
        return orjson.dumps(done).decode() if args.json else format_summary(done)

    return command_line.run(
        {"endpoint_block": "", **settings},
        command,
        tell,
        lambda config: (check_name(args.name), check_labels(args.labels, args.start, args.end)),
    )


if __name__ == "__main__":
    command_line.main(main)
