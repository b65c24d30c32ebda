"""How good answers are, in figures: a file of predictions, scored on this machine, free and exact.

python -m flows.evaluate_model --predictions FILE.jsonl --json
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from flows import command_line
from tasks.evaluation import in_words, score_file


def main(arguments: Sequence[str]) -> int:
    """The command line of this flow."""
    parser = command_line.parser("flows.evaluate_model", "Score a model's answers against references.")
    parser.add_argument(
        "--predictions", type=Path, required=True, help='JSON lines of {"prediction": …, "reference": …}'
    )
    parser.add_argument("--per-row", type=Path, default=None, help="a file to write every row's figures to, as JSONL")
    parser.add_argument(
        "--baseline", type=Path, default=None, help="another model's predictions of the same rows, to compare with"
    )
    parser.add_argument("--json", action="store_true", default=False, help="the last line on stdout is one JSON object")
    given = parser.parse_args(arguments)

    async def scored() -> dict[str, Any]:
        return score_file(given.predictions, per_row=given.per_row, baseline=given.baseline)

    def tell(figures: dict[str, Any]) -> str:
        return orjson.dumps(figures).decode() if given.json else in_words(figures)

    return command_line.run(None, scored, tell)


if __name__ == "__main__":
    command_line.main(main)
