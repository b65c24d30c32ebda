"""Ask a model a shop's own questions about a published day's conversations, and store the answers in their own table.

python -m flows.ask_questions --day 2026-11-22 --questions questions.toml --of negative --sheet review.xlsx
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from prefect import flow, runtime

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.services import Services, connect, open_place
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from flows.wiring.steps import log_reader
from tasks.domain.days import previous_day
from tasks.domain.errors import BucketMissing, ObjectMissing, UsageError
from tasks.domain.records import Request
from tasks.evaluating.open_caller import open_caller
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import ask_again
from tasks.preparing.tokens import estimate_tokens
from tasks.questions.ask import (
    STRATA,
    Asked,
    ask_all,
    check_stratum,
    choose_conversations,
    store_answers,
)
from tasks.questions.load import load_questions
from tasks.questions.rules.judged import Labels, judge_answers, read_labels
from tasks.questions.rules.question_sheet import form_of, labels_of, number_of, sheet_row
from tasks.questions.rules.questions import Questionnaire
from tasks.reading.log_objects import list_logs
from tasks.reading.lookup import conversations_of
from tasks.reviewing.rules.review_sheet import RowError
from tasks.reviewing.sheets import read_sheet, write_form
from tasks.running.scratch import scratch_folder

_NAMESPACE = "questions"

_MOST_IN_A_SHEET = 150


@flow(name="ask-questions", flow_run_name="ask-questions")
@beside_no_erasure
async def ask_questions(
    day: date | None = None,
    of: str = "all",
    share: float = 1.0,
    labels: str = "",
    sheet: str = "",
    settings: SettingsParameter | None = None,
) -> dict[str, Any]:
    """自定义问题 · Ask a shop's own questions about a published day; each conversation is paid for once a version.

    Args:
        day: 日期 · The day; left out, it is the day before the run's scheduled start.
        of: 范围 · all, negative, not_accepted or theme:ID.
        share: 比例 · The part of them that is asked about, always the same conversations.
        labels: 人工答案 · People's answers, by which the model's are judged: a filled-in sheet, or JSON lines of
            conversation_id and an answer by question id.
        sheet: 审核表 · Where to write a sheet of 150 answered conversations, at random, for people to answer: an .xlsx
            or .csv file, as a path or bos://bucket/name.
        settings: any setting by its name, as for summarize_day; `questions` names the file.
    """
    config = load_settings(settings or {})
    questionnaire = _check(config, of, share, sheet)
    truth, refused = _labels(labels, questionnaire, config)
    config = _asking(config, questionnaire)
    day = day or previous_day(runtime.flow_run.scheduled_start_time, config.zone)
    run_id = str(runtime.flow_run.id)

    async with connect(config, day) as services:
        chosen = choose_conversations(services.warehouse, day, of, share)
        requests = _requests(day, chosen, services, config, questionnaire)
        async with open_caller(
            services.summarizer,
            services.limiter,
            warehouse=services.warehouse,
            namespace=_NAMESPACE,
            run_id=run_id,
            scratch=services.scratch,
            policy=config.call_policy(questionnaire.version),
            day=day,
        ) as caller:
            asked = await ask_all(requests, caller, questionnaire)
        address = store_answers(services.warehouse, day, questionnaire, asked)
    written = _write_sheet(sheet, asked, questionnaire, config) if sheet else ""
    by_id = {answered.request.conversation.conversation_id: answered.answers or [] for answered in asked}
    by_number = {number_of(answered.request): answered.answers or [] for answered in asked}
    return {
        "day": day.isoformat(),
        "version": questionnaire.version,
        "chosen": len(chosen),
        "asked": len(asked),
        "answered": sum(conversation.answers is not None for conversation in asked),
        "calls": caller.usage.calls,
        "table": address,
        "sheet": written,
        "judged": judge_answers(questionnaire, truth, by_id | by_number),
        "refused": [str(error) for error in refused],
    }


def _check(config: Settings, of: str = "all", share: float = 1.0, sheet: str = "") -> Questionnaire:
    if config.summarizer not in ("qianfan", "openai"):
        raise UsageError("Own questions need --summarizer qianfan or openai: rules can't answer them.")
    check_stratum(of)
    if not 0 < share <= 1:
        raise UsageError(f"--share {share}: name a part of the day, over 0 and up to 1.")
    if sheet and not sheet.lower().endswith((".xlsx", ".csv")):
        raise UsageError(f"--sheet {sheet}: a sheet is an .xlsx or a .csv file.")
    return load_questions(config.questions)


def _labels(labels: str, questionnaire: Questionnaire, config: Settings) -> tuple[Labels, list[RowError]]:
    if not labels:
        return {}, []
    store, key = open_place(labels, config)
    try:
        content = store.read_path(key)
    except (ObjectMissing, BucketMissing):
        raise UsageError(f"--labels {labels} can't be read: there is no such file.") from None
    if key.lower().endswith((".xlsx", ".csv")):
        return labels_of(read_sheet(content, labels, form_of(questionnaire)), questionnaire)
    return read_labels(content.splitlines(), labels, questionnaire), []


def _write_sheet(sheet: str, asked: Sequence[Asked], questionnaire: Questionnaire, config: Settings) -> str:
    store, key = open_place(sheet, config)
    answered = [outcome for outcome in asked if outcome.answers is not None]
    chosen = sorted(answered, key=lambda outcome: outcome.request.content_hash)[:_MOST_IN_A_SHEET]
    rows = [sheet_row(outcome.request, outcome.answers or []) for outcome in chosen]
    store.write_path(key, write_form(form_of(questionnaire), rows, key))
    return store.uri_of(key)


def _asking(config: Settings, questionnaire: Questionnaire) -> Settings:
    """Settings for answers that are not the four fields, with room in the prompt for the questions."""
    longer = estimate_tokens(questionnaire.prompt.template) - estimate_tokens(load_prompt(config.prompt).template)
    return config.model_copy(
        update={
            "response_format": "text",
            "system_prompt": "",
            "max_input_tokens": config.max_input_tokens - max(0, longer),
        }
    )


def _requests(
    day: date, chosen: dict[str, str], services: Services, config: Settings, questionnaire: Questionnaire
) -> list[Request]:
    model, hashes = services.summarizer.model, set(chosen.values())
    with scratch_folder(services.scratch, f"{runtime.flow_run.id}-logs") as scratch:
        reader = log_reader(config, scratch, day, model)
        logs = list_logs(services.source, services.source_name)
        read = conversations_of(chosen, services.source, logs, reader)
        found = (reader.prepare(conversation) for _, conversation in read)
        return [
            ask_again(request, prompt=questionnaire.prompt, model=model, options=config.model_options)
            for request in found
            if request.content_hash in hashes
        ]


def _format_summary(made: dict[str, Any]) -> str:
    return (
        f"{made['day']}: {made['asked']} of {made['chosen']} conversations were asked about, {made['answered']} "
        f"answered ({made['calls']} calls now).\ntable: {made['table']}"
        + (f"\nsheet: {made['sheet']}" if made["sheet"] else "")
        + "".join(f"\nrefused: {message}" for message in made["refused"])
        + "".join(f"\n{question}: {_figures(figures)}" for question, figures in made["judged"].items())
    )


def _figures(figures: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figures.items())


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.ask_questions", __doc__)
    parser.add_argument(
        "--day", type=command_line.day_argument, default=None, help="the day, such as 2026-11-22 (default: yesterday)"
    )
    parser.add_argument("--of", default="all", help=f"{', '.join(STRATA)} or theme:ID (default: all)")
    parser.add_argument("--share", type=float, default=1.0, help="the part of them that is asked about (default: 1)")
    parser.add_argument("--labels", default="", help="people's answers, to judge the model's by: a sheet or JSON lines")
    parser.add_argument("--sheet", default="", help="write a sheet of 150 conversations for people to answer")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    return command_line.run(
        settings,
        lambda: ask_questions(args.day, args.of, args.share, args.labels, args.sheet, settings),
        _format_summary,
        lambda config: _check(config, args.of, args.share, args.sheet),
        as_json=args.json,
    )


if __name__ == "__main__":
    command_line.main(main)
