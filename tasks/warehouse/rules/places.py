"""Every place of a warehouse, the text there and its retention; a document is made of this."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """Objects of one kind.

    Args:
        keys: a pattern of their keys.
        shown: how people write it.
        text: what of customers' words and ids is in it; masked, if masking is on.
        erased: what `erase_customer` does there.
        kept: how long it stays.
    """

    keys: str
    shown: str
    text: str
    erased: str
    kept: str


_FOR_EVER: Final = "until removed by hand, or `expire_files --keep-tables-days`"

PLACES: Final = (
    Place(r"summaries/", "`summaries/`", "ids, issue, plan, the model's words, attributes", "rows", _FOR_EVER),
    Place(r"rejects/", "`rejects/`", "ids, the model's raw words, the service's", "rows", _FOR_EVER),
    Place(
        r"metrics/",
        "`metrics/`",
        "channels, attributes' values, words that several conversations share",
        "nothing: no person's",
        _FOR_EVER,
    ),
    Place(r"runs/", "`runs/`", "none", "nothing", _FOR_EVER),
    Place(
        r"golden/", "`golden/`", "ids, issue and plan of labeled conversations, by model and person", "rows", _FOR_EVER
    ),
    Place(r"reports/", "`reports/`", "ids, issue and plan of examples", "the page", "`--keep-reports-days`"),
    Place(r"_answers/", "`_answers/`", "the model's raw words; fingerprints, no ids", "lines", "`--keep-answers-days`"),
    Place(r"_reviews/", "`_reviews/`", "whole dialogues of a sample", "rows", "`--keep-texts-days`"),
    Place(r"reviews/", "`reviews/`", "the same, as sheets", "the sheet", "`--keep-texts-days`"),
    Place(r"labels/", "`labels/`", "whole dialogues, reviewers' names and notes", "rows", "`--keep-texts-days`"),
    Place(r"shadows/", "`shadows/`", "as `summaries`, of a candidate", "rows", "`--keep-texts-days`"),
    Place(
        r"evaluations/", "`evaluations/`", "predictions: the models' words, ids", "lines, pages", "`--keep-texts-days`"
    ),
    Place(r"comparisons/", "`comparisons/`", "whole dialogues and answers", "rows, pages", "`--keep-texts-days`"),
    Place(
        r"question_answers/",
        "`question_answers/`",
        "ids, the model's words about a shop's own questions",
        "rows",
        _FOR_EVER,
    ),
    Place(r"_months/", "`_months/`", "as in the tables, whose copies they are", "rows", _FOR_EVER),
    Place(r"prompts/", "`prompts/`", "none", "nothing", "until removed by hand"),
    Place(r"models/", "`models/`", "training sets: whole dialogues without ids", "lines", "until removed by hand"),
    Place(
        r"_themes/|themes/",
        "`_themes/`, `themes/`",
        "words and examples of proposed themes",
        "pages",
        "until removed by hand",
    ),
    Place(
        r"_staging/batches/",
        "`_staging/batches/`",
        "prompts and answers of a batch under way",
        "lines",
        "until its task is done",
    ),
    Place(
        r"_staging/runs/",
        "`_staging/runs/`",
        "rows in the making; messages sealed with a key in memory",
        "nothing",
        "until the run ends, or the next begins",
    ),
    Place(r"_staging/", "other `_staging/`", "none", "nothing", "`--keep-staging-days`, 7"),
    Place(
        r"_endpoints/|_catalog|_watch|_delivered|_notifications",
        "`_endpoints/` and their like",
        "none",
        "nothing",
        "until removed by hand",
    ),
    Place(
        r"_private/",
        "`_private/`",
        "the key of pseudonyms; ids to erase, until they are; records of erasures without data",
        "the request",
        "until removed by hand",
    ),
    Place(r"\.store/", "`.store/`", "what a killed writer had in hand", "nothing", "until the next write"),
)

# Beyond a warehouse: nothing here reaches it, so an operator has to.
ELSEWHERE: Final = (
    ("The source logs", "everything, unmasked", "A rerun of the day reads them again: remove it there first."),
    ("Sheets and reports that people saved or mailed", "whole dialogues", "Ask for them."),
    ("The model's service, its batch copies, its logs", "prompts, masked", "By contract with the provider."),
    ("`--upload-to`, data sets and models on Qianfan", "training sets, masked", "Remove them on the platform."),
    (
        "Prefect's database and logs",
        "ids in names of reports' examples; addresses of log objects; no dialogue",
        "It is closed to others, and kept small by its own retention.",
    ),
    ("Notifications", "figures, reasons; no dialogue", "By the service that takes them."),
    (
        "BOS: unfinished uploads, old versions",
        "as in the warehouse",
        "`expire_files` ends uploads; switch versions off, or give them an end.",
    ),
    ("Backups", "as in the warehouse", "By their own rules."),
)


def place_of(key: str) -> Place | None:
    """The place of an object."""
    return next((place for place in PLACES if re.match(place.keys, key)), None)


def as_markdown() -> str:
    """The tables of the document."""
    inside = [f"| {place.shown} | {place.text} | {place.erased} | {place.kept} |" for place in PLACES]
    outside = [f"| {place} | {text} | {what} |" for place, text, what in ELSEWHERE]
    return "\n".join(
        [
            "| place | text in it | what `erase_customer` removes | how long |",
            "| --- | --- | --- | --- |",
            *inside,
            "",
            "| beyond its reach | text in it | what to do |",
            "| --- | --- | --- |",
            *outside,
        ]
    )
