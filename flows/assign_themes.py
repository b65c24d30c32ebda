"""Have a model assign the themes of published days: each distinct text is asked about and paid for once.

python -m flows.assign_themes --start 2026-11-16 --end 2026-11-22 --theme-endpoint ernie-speed-8k
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from prefect import flow, runtime

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.reviewed import reviewed_by_people
from flows.wiring.services import Services, connect
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from flows.wiring.themes import open_themes, themes_asked
from tasks.domain.days import days_between, previous_day
from tasks.domain.errors import CeilingReached, UsageError
from tasks.evaluating.open_caller import open_caller
from tasks.questions.assign_themes import ThemeQuestions, ask_for_themes, find_new_texts
from tasks.reporting.restate import ReportOptions, restate_day
from tasks.running.scratch import scratch_folder
from tasks.themes.assigner import load_taxonomy
from tasks.themes.known_themes import read_known_themes

_NAMESPACE = "themes"

# Twenty texts' themes in one answer, with room for a model that explains itself.
_ANSWER_TOKENS = 1024


@flow(name="assign-themes", flow_run_name="assign-themes")
@beside_no_erasure
async def assign_themes(
    start: date | None = None, end: date | None = None, settings: SettingsParameter | None = None
) -> dict[str, Any]:
    """模型归类主题 · Have a model assign themes to published days; texts that it does not answer go by rules.

    Args:
        start: 起始日期 · The first day; left out, the last one alone.
        end: 结束日期 · The last day; left out, the day before the run's scheduled start.
        settings: any setting by its name, as for summarize_day; `theme_endpoint` names the model.
    """
    config = load_settings(settings or {})
    _check(config)
    last = end or previous_day(runtime.flow_run.scheduled_start_time, config.zone)
    days = days_between(start or last, last)
    run_id = str(runtime.flow_run.id)
    prompt = themes_asked(config)
    asking = config.model_copy(
        update={
            "endpoint": config.theme_endpoint,
            "response_format": "text",
            "system_prompt": "",
            "max_output_tokens": max(config.max_output_tokens, _ANSWER_TOKENS),
        }
    )
    async with connect(asking, last) as services:
        texts = find_new_texts(services.warehouse, days, read_known_themes(services.warehouse, prompt.version))
        async with open_caller(
            services.summarizer,
            services.limiter,
            warehouse=services.warehouse,
            namespace=_NAMESPACE,
            run_id=run_id,
            scratch=services.scratch,
            policy=replace(asking.call_policy(prompt.version), ceiling=asking.ceiling),
        ) as caller:
            questions = ThemeQuestions(
                prompt, load_taxonomy(config.themes), services.summarizer.model, asking.model_options, run_id
            )
            counts = await ask_for_themes(services.warehouse, texts, caller, questions)
        restated = _restate(services, days, run_id, config)
    made = {
        "start": days[0].isoformat(),
        "end": days[-1].isoformat(),
        "version": prompt.version,
        "texts": len(texts),
        **asdict(counts),
        "calls": caller.usage.calls,
        "prompt_tokens": caller.usage.prompt_tokens,
        "completion_tokens": caller.usage.completion_tokens,
        "cost": round(caller.cost, 4),
        "restated": restated,
    }
    if counts.stopped:
        raise CeilingReached(f"{counts.stopped} {_format_summary(made)} Start it again to go on.")
    return made


def _restate(services: Services, days: Sequence[date], run_id: str, config: Settings) -> list[str]:
    options = ReportOptions(config.zone, config.attributes, config.themes, reviewed_by_people)
    themes = open_themes(config, services.warehouse)
    with scratch_folder(services.scratch, f"restate-{run_id}") as scratch:
        return [
            day.isoformat() for day in days if restate_day(services.warehouse, day, run_id, scratch, themes, options)
        ]


def _check(config: Settings) -> None:
    if not config.theme_endpoint or config.summarizer not in ("qianfan", "openai"):
        raise UsageError("Themes by a model need --theme-endpoint, and --summarizer qianfan or openai.")


def _format_summary(made: dict[str, Any]) -> str:
    return (
        f"{made['start']} to {made['end']}: of {made['texts']} new texts {made['assigned']} got a theme from the model "
        f"({made['calls']} calls), {made['without']} none, {made['unanswered']} no answer; those go by rules. "
        f"Days restated: {len(made['restated'])}."
    )


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.assign_themes", __doc__)
    parser.add_argument("--start", type=command_line.day_argument, default=None, help="the first day (default: --end)")
    parser.add_argument("--end", type=command_line.day_argument, default=None, help="the last day (default: yesterday)")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings, lambda: assign_themes(args.start, args.end, settings), _format_summary, _check, as_json=args.json
    )


if __name__ == "__main__":
    command_line.main(main)
