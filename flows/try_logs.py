"""Show how log files are read: their format, speakers and days. Calls nobody.

python -m flows.try_logs FILE_OR_FOLDER     (exit code 1 where no conversation can be summarized)
"""

import shlex
from collections.abc import Sequence
from typing import Any

import orjson

from flows.wiring.commands import command_line
from flows.wiring.commands.flags import as_typed
from flows.wiring.commands.standard_streams import complain, write_result
from flows.wiring.services import check_settings, open_logs
from flows.wiring.surveys import survey_place
from tasks.domain.errors import KefuError, NoLogs
from tasks.reading.rules.survey_text import as_lines
from tasks.reading.survey import LogSurvey

_REPEATED = ("log_format", "mappings", "timezone")


def main(arguments: Sequence[str]) -> int:
    """The command line of this command."""
    parser = command_line.parser("flows.try_logs", __doc__)
    parser.add_argument("path", help="a file or folder of logs, or bos://bucket/prefix")
    args = parser.parse_args(arguments)
    settings = command_line.chosen_settings(args)
    try:
        config = check_settings({**settings, "source": args.path.replace("{", "{{").replace("}", "}}")})
        survey = survey_place(open_logs(args.path, config), config)
    except KefuError as error:
        return complain(error)
    if args.json:
        write_result(orjson.dumps(_as_json(survey)).decode())
    else:
        flags = "".join(
            f" --{name.replace('_', '-')} {shlex.quote(str(settings[name]))}" for name in _REPEATED if name in settings
        )
        write_result("\n".join(map(as_typed, as_lines(survey, args.path, flags))))
    if survey.conversations:
        return command_line.DONE
    return complain(NoLogs(f"No conversation in {args.path} can be summarized."))


def _as_json(survey: LogSurvey) -> dict[str, Any]:
    tally = survey.tally
    return {
        "files": survey.files,
        "conversations": survey.conversations,
        "rejects": [
            {"reason": reason, "detail": detail, "count": count}
            for (reason, detail), count in survey.rejects.most_common()
        ],
        "days": {day.isoformat(): tally.days[day] for day in sorted(tally.days)},
        "undated": tally.undated,
        "unread_conversations": tally.unread_conversations,
        "notes": tally.notes,
        "first": survey.shown,
    }


if __name__ == "__main__":
    command_line.main(main)
