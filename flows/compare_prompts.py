"""Compare prompts on a base model, and a deployed endpoint, on the same labeled conversations.

python -m flows.compare_prompts --summarizer qianfan --base ernie-speed-8k --optimize --endpoint ID
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from prefect import flow

from flows.wiring.beside_erasures import beside_no_erasure
from flows.wiring.commands import command_line
from flows.wiring.labeled import check_labels, fetched_labels, labeled_conversations
from flows.wiring.models.evaluations import evaluated
from flows.wiring.prompts import find_prompt
from flows.wiring.services import open_platform, open_warehouse
from flows.wiring.settings import Settings, SettingsParameter, load_settings
from tasks.domain.errors import UsageError
from tasks.domain.ports import ObjectStore
from tasks.evaluating.evaluation import Evaluation
from tasks.evaluating.rules.comparison import compare_rows
from tasks.evaluating.rules.comparison_report import (
    Answered,
    Asked,
    Contestant,
    answers_table,
    render_html,
    render_markdown,
)
from tasks.preparing.prompts import Prompt, load_prompt, optimized_prompt
from tasks.running.artifacts import show_markdown
from tasks.warehouse.parquet import parquet_bytes


@flow(name="compare-prompts", flow_run_name="compare-prompts")
@beside_no_erasure
async def compare_prompts(
    base: str,
    prompts: list[str] | None = None,
    optimize: bool = False,
    start: date | None = None,
    end: date | None = None,
    labels: str = "",
    limit: int = 0,
    settings: SettingsParameter | None = None,
) -> dict[str, Any]:
    """Ask a base model with each prompt, and the endpoint of the settings with the active one, and compare.

    Beside an endpoint, which may be a tuned model, only conversations count that fine-tuning never trains on.

    Args:
        base: the base model, written as an endpoint, such as ernie-speed-8k.
        prompts: prompt versions for the base model, of tasks/prompts/ or of the warehouse's prompts/; left out, the
            active one.
        optimize: let the platform rewrite the first of them, too; its version is saved in the warehouse's prompts/
            and used nowhere by itself.
        start: the first day of labeled conversations; left out, the oldest that has labels.
        end: the last day, itself included.
        labels: a file of labels, whose conversations are read from the logs of those days; left out, the warehouse's.
        limit: at most so many conversations, always the same ones; 0 is all of them.
        settings: any setting by its name; endpoint is the deployed one (left out: the base model alone), prompt the
            active one.
    """
    config = load_settings(settings or {})
    _check_models(config)
    warehouse = open_warehouse(config)
    versions = [find_prompt(warehouse, version) for version in prompts or [config.prompt]]
    tuned = bool(config.endpoint) and config.endpoint != base
    file = await fetched_labels(config, labels)
    labeled = labeled_conversations(config, start, end, file, limit, held_out=tuned)
    if optimize:
        versions.insert(1, await _optimized(config, warehouse, versions[0]))

    entries = [(base, prompt) for prompt in versions]
    if tuned:
        entries.append((config.endpoint, load_prompt(config.prompt)))
    evaluations = [
        (prompt, await evaluated(config.model_copy(update={"endpoint": endpoint}), labeled, prompt))
        for endpoint, prompt in entries
    ]

    asked = [
        Asked(example.day, example.conversation_id, example.content_hash, example.text, example.answer())
        for example in labeled
    ]
    contestants = [_contestant(prompt, evaluation, evaluations[0][1]) for prompt, evaluation in evaluations]
    folder = f"comparisons/{datetime.now(UTC):%Y%m%dT%H%M%S}"
    markdown = render_markdown(asked, contestants, tuned)
    warehouse.write_path(f"{folder}/answers.parquet", parquet_bytes(answers_table(asked, contestants)))
    warehouse.write_path(f"{folder}/comparison.md", markdown.encode())
    warehouse.write_path(f"{folder}/comparison.html", render_html(asked, contestants, tuned).encode())
    await show_markdown(markdown.partition("\n## 回答")[0], key="comparison", description="模型与提示词对比")
    return {
        "conversations": len(labeled),
        "contestants": [
            {
                **contestant.figures,
                "against_first": {name: found.as_json() for name, found in contestant.against_first.items()},
            }
            for contestant in contestants
        ],
        "report": warehouse.uri_of(f"{folder}/comparison.html"),
    }


async def _optimized(config: Settings, warehouse: ObjectStore, prompt: Prompt) -> Prompt:
    async with open_platform(config) as platform:
        optimized = optimized_prompt(await platform.optimize_prompt(prompt.template))
    # Named by its text: what is there already says the same.
    warehouse.write_path(f"prompts/{optimized.version}.txt", optimized.template.encode())
    return optimized


def _check_models(config: Settings) -> None:
    if config.summarizer == "offline":
        raise UsageError("--summarizer qianfan or openai: models are compared here, and rules read no prompt.")


def _contestant(prompt: Prompt, evaluation: Evaluation, first: Evaluation) -> Contestant:
    return Contestant(
        name=f"{evaluation.model} + {evaluation.prompt_version}",
        model=evaluation.model,
        prompt_version=evaluation.prompt_version,
        template=prompt.template,
        figures=evaluation.figures(),
        answers=[
            Answered(
                prediction.text,
                prediction.outcome,
                prediction.prompt_tokens,
                prediction.completion_tokens,
                prediction.latency_ms,
            )
            for prediction in evaluation.predictions
        ],
        rows=evaluation.rows,
        against_first={} if evaluation is first else compare_rows(first.rows, evaluation.rows),
    )


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.compare_prompts", __doc__)
    parser.add_argument("--base", required=True, help="the base model, written as an endpoint: ernie-speed-8k")
    parser.add_argument("--prompts", nargs="+", default=None, help="its prompt versions (default: the active one)")
    parser.add_argument(
        "--optimize", action="store_true", default=False, help="let the platform rewrite the first prompt, too"
    )
    command_line.add_label_flags(parser)
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)

    def check(config: Settings) -> None:
        _check_models(config)
        check_labels(args.labels, args.start, args.end)

    return command_line.run(
        {"endpoint": args.base} | settings,
        lambda: compare_prompts(
            args.base,
            args.prompts,
            args.optimize,
            args.start,
            args.end,
            args.labels,
            command_line.limit_of(args),
            settings,
        ),
        _format_summary,
        check,
        as_json=args.json,
    )


def _format_summary(made: dict[str, Any]) -> str:
    lines = [
        "{model} + {prompt}: ROUGE-L {ROUGE-L:.2f}, BLEU-4 {BLEU-4:.2f}, accepted {accepted/accuracy:.1f} %, "
        "negative {negative_sentiment/accuracy:.1f} %, format {format/plain:.1f} %, {calls} calls".format(**contestant)
        for contestant in made["contestants"]
    ]
    return "\n".join([f"{made['conversations']} conversations", *lines, f"report: {made['report']}"])


if __name__ == "__main__":
    command_line.main(main)
