"""Deploy the best experiment and make it the nightly's endpoint: publish, deploy, test, compare, promote.

python -m flows.deploy_model --name 2026-11 --pay unit --hour-price 12.5 --confirm
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

from prefect import flow, get_run_logger
from prefect.context import FlowRunContext

from flows.wiring.beside_erasures import texts_held
from flows.wiring.blocks import SummarizerEndpoint, find_endpoint
from flows.wiring.commands import command_line
from flows.wiring.labeled import check_labels, fetched_labels, labeled_conversations
from flows.wiring.models.forms import AdoptionForm, ExaminationForm, ServiceForm, add_flags, field_names, filled_in
from flows.wiring.models.gate import Examined, pass_gate, weighted_back
from flows.wiring.models.promotions import (
    blocks_naming,
    events_of,
    promote,
    roll_back,
    same_endpoint,
    states_of,
    step_back,
)
from flows.wiring.models.training_data import examination as unseen_labels
from flows.wiring.models.trying import check_answers
from flows.wiring.services import open_platform, open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from tasks.domain.errors import UsageError
from tasks.domain.model_platform import ModelPlatform
from tasks.running.pausing import AWAITING_PLATFORM, reschedule
from tasks.tuning.adoption import adopt
from tasks.tuning.create_once import WaitPolicy
from tasks.tuning.rollout import (
    Notify,
    RolloutRecord,
    begin_rollout,
    deploy_service,
    publish_model,
    retire_service,
    rollout_of,
)
from tasks.tuning.rules.gate import check_labels_suffice
from tasks.tuning.rules.label_weights import effective_labels
from tasks.tuning.rules.rollout_record import as_result, check_agreed, format_summary
from tasks.tuning.rules.tuning_record import Tuning, check_name
from tasks.tuning.training_jobs import tuning_of

Step = Callable[[RolloutRecord, ModelPlatform, WaitPolicy, Notify], Awaitable[bool]]


@flow(name="deploy-model", flow_run_name="{action}-{name}")
async def deploy_model(
    name: str,
    action: Literal["deploy", "rollback", "retire"] = "deploy",
    experiment: int = 0,
    checkpoint: int = -1,
    confirm: bool = False,
    why: str = "",
    service: ServiceForm = ServiceForm(),  # noqa: B008 (frozen)
    adoption: AdoptionForm = AdoptionForm(),  # noqa: B008
    examination: ExaminationForm = ExaminationForm(),  # noqa: B008
    give_up_hours: float = 2.0,
    poll_seconds: float = 60.0,
    settings: SettingsParameter | None = None,
) -> dict[str, Any]:
    """Bring a fine-tuned model into service, take the last promotion back, or give back what is paid for.

    Args:
        name: of the tuning.
        action: "deploy", "rollback" (the block names again what it named before) or "retire" (give back what can be).
        experiment: which one; 0 is the best.
        checkpoint: the step of the checkpoint to publish; -1 is the last.
        confirm: the service costs money, and that is agreed to.
        why: goes into the history of the block.
        service: the service to deploy.
        adoption: what was trained, published or deployed outside.
        examination: what the candidate is examined on.
        give_up_hours: publishing, deploying or retiring may take so long.
        poll_seconds: between two looks at the platform.
        settings: any setting by its name.
    """
    config = load_settings({"endpoint_block": "", **(settings or {})})
    warehouse, policy = open_warehouse(config), WaitPolicy(timedelta(hours=give_up_hours))
    block = examination.block
    async with open_platform(config) as platform:
        if any((adoption.task, adoption.model, adoption.service)):
            await adopt(warehouse, platform, check_name(name), *adoption_of(adoption), policy)
        if action == "rollback":
            return await _roll_back(check_name(name), block, why, config)
        if action == "retire":
            record = await asyncio.to_thread(rollout_of, warehouse, check_name(name))
            await _check_not_asked(record, config)
            await _until_done(retire_service, record, platform, policy, poll_seconds)
            return as_result(record.value)

        tuning = await asyncio.to_thread(tuning_of, warehouse, check_name(name))
        step = None if checkpoint < 0 else checkpoint
        spec = service.spec(config.currency)
        record = await begin_rollout(warehouse, tuning, experiment, spec, policy.now(), step)
        get_run_logger().info(check_agreed(record.value, spec, confirm or bool(adoption.service)))
        async with texts_held(config):
            labeled = await _labeled(tuning, examination, adoption.trained_on, config, platform)
            for each in (publish_model, deploy_service):
                await _until_done(each, record, platform, policy, poll_seconds)

            if not await _is_asked(block, record.value.endpoint):
                before, serving = await _serving(block, config, settings or {})
                found = await pass_gate(record, warehouse, config, serving, labeled, examination.margin)
                await promote(block, before, record.value.endpoint, name=name, by=_by(), why=why or found)
    await record.save(record.value.moved("promoted", policy.now()))
    return as_result(record.value)


def adoption_of(form: AdoptionForm) -> tuple[str, str, str]:
    """The ids to adopt: of a task, a model and a service."""
    return form.task, form.model, form.service


async def _until_done(
    step: Step, record: RolloutRecord, platform: ModelPlatform, policy: WaitPolicy, poll_seconds: float
) -> None:
    while not await step(record, platform, policy, get_run_logger().warning):
        await reschedule(poll_seconds, AWAITING_PLATFORM, f"{record.value.plan.name} is {record.value.stage}.")


async def _labeled(
    tuning: Tuning, examination: ExaminationForm, trained_on: str, config: Settings, platform: ModelPlatform
) -> Examined:
    """Return the examination's conversations, weighted back to the days; checked before anything is paid for.

    Raises:
        NotPromoted: there are too few for the margin.
    """
    file = await fetched_labels(config, examination.labels)
    labeled = labeled_conversations(config, examination.start, examination.end, file)
    found = await unseen_labels(tuning, labeled, trained_on, config, platform)
    examined = await asyncio.to_thread(weighted_back, open_warehouse(config), found)
    check_labels_suffice(effective_labels(examined.weights), examination.margin)
    return examined


async def _serving(block: str, config: Settings, settings: dict[str, Any]) -> tuple[SummarizerEndpoint, Settings]:
    """The endpoint that the nightly asks now, as a block and as settings: the block's, or without one the settings'."""
    found = await find_endpoint(block)
    if found is not None:
        return found, load_settings({**settings, "endpoint_block": block})
    # Nights in bulk ask the same model, only hours later.
    summarizer = "qianfan" if config.summarizer == "qianfan-batch" else config.summarizer
    before = SummarizerEndpoint(summarizer=summarizer, endpoint=config.endpoint)
    return before, config.model_copy(update={"summarizer": summarizer})


async def _roll_back(name: str, block: str, why: str, config: Settings) -> dict[str, Any]:
    current, below, kept = await step_back(block, name)
    restored = load_settings({"endpoint_block": below.kept})
    if kept.summarizer != "offline":
        await check_answers(
            restored.model_copy(update={"source": config.source, "warehouse": config.warehouse}),
            f"Before the last promotion block {block!r} named {kept.endpoint}",
        )
    await roll_back(block, below, name=name, by=_by(), why=why or "rolled back by hand")
    return {
        "name": name,
        "stage": "rolled back",
        "endpoint": kept.endpoint or kept.summarizer,
        "before": current.endpoint,
        "history": len(states_of(await events_of(block))),
    }


async def _check_not_asked(record: RolloutRecord, config: Settings) -> None:
    """Check that nobody's nightly asks a service that is to be retired.

    Raises:
        UsageError: an endpoint block, or the settings, name it.
    """
    endpoint = record.value.endpoint
    if not endpoint:
        return
    named = await blocks_naming(endpoint)
    if named:
        blocks = ", ".join(map(repr, named))
        raise UsageError(f"The nightly asks this service (block {blocks}): --rollback first, then --retire.")
    if config.summarizer.startswith("qianfan") and same_endpoint(config.endpoint, endpoint):
        raise UsageError(f"The settings name this service (--endpoint {config.endpoint}): change them, then --retire.")


async def _is_asked(block: str, endpoint: str) -> bool:
    now = await find_endpoint(block)
    return now is not None and bool(endpoint) and same_endpoint(now.endpoint, endpoint)


def _by() -> str:
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None:
        return ""
    who = run.created_by.display_value if run.created_by else None
    return f"{who or 'somebody'}, run {run.name}"


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.deploy_model", __doc__)
    parser.add_argument("--name", required=True, help="of the tuning; give it again to go on where it was")
    actions = parser.add_mutually_exclusive_group()
    for action, text in (
        ("rollback", "let the block name again what it named before; twice goes two steps back"),
        ("retire", "take the service offline and give back what is paid by use"),
    ):
        actions.add_argument(
            f"--{action}", action="store_const", dest="action", const=action, default="deploy", help=text
        )
    parser.add_argument("--experiment", type=int, default=0, help="which one (default: the best)")
    parser.add_argument("--checkpoint", type=int, default=-1, help="the step of the one to publish (default: the last)")
    parser.add_argument("--why", default="", help="goes into the block's history")
    parser.add_argument("--confirm", action="store_true", default=False, help="agree to what the service costs")
    parser.add_argument("--give-up-hours", type=float, default=2.0, help="for each of its steps (default: 2)")
    parser.add_argument("--poll-seconds", type=float, default=30.0, help="between two looks (default: 30)")
    add_flags(parser, ServiceForm)
    add_flags(parser, AdoptionForm)
    add_flags(parser, ExaminationForm)
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)
    grouped = field_names(ServiceForm, AdoptionForm, ExaminationForm)
    own = {name: value for name, value in vars(args).items() if name not in {*settings, *grouped, "json", "verbose"}}

    def check(config: Settings) -> None:
        check_name(args.name)
        chosen = filled_in(ExaminationForm, args)
        check_labels(chosen.labels, chosen.start, chosen.end)
        filled_in(ServiceForm, args)

    async def command() -> dict[str, Any]:
        done: dict[str, Any] = await deploy_model(
            **own,
            service=filled_in(ServiceForm, args),
            adoption=filled_in(AdoptionForm, args),
            examination=filled_in(ExaminationForm, args),
            settings=settings,
        )
        return done

    return command_line.run({"endpoint_block": "", **settings}, command, format_summary, check, as_json=args.json)


if __name__ == "__main__":
    command_line.main(main)
