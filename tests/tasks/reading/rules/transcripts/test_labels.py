"""Labels that begin the messages of transcripts."""

from datetime import UTC, datetime

import pytest

from tasks.reading.rules.transcripts.labels import NO_ROLES
from tests.builders.logs import Read, said

TURNS = [("user", "几天能到"), ("agent", "三天左右"), ("user", "好")]


def transcript(form, names=("顾客", "客服")):
    return "\n".join(
        form.format(who=names[side == "agent"], at=at, words=words) for at, (side, words) in enumerate(TURNS)
    )


FORMS = {
    "a heading": "### {who}\n\n{words}\n",
    "bold alone": "**{who}**\n{words}\n",
    "columns": "2026-11-21 10:0{at}:00\t{who}\t{words}",
    "a caption's voice": "<v {who}>{words}",
    "a list with times": "- **{who}**（10:0{at}）：{words}",
    "brackets alone": "【{who}】{words}",
    "an arrow that points to it": "<< {who}: {words}",
    "a headline with a time of day": "[10:0{at} AM] {who}\n{words}\n",
    "a span of time": "[00:0{at}.2-00:0{at}.8] {who}: {words}",
    "columns of bars": "10:0{at}:00 | {who} | {words}",
    "a verb": "{who}说：{words}",
    "a date behind brackets": "【{who}】2026-11-21 10:0{at}:00\n{words}\n",
    "a date in brackets behind a comma": "{who}, [21.11.26 10:0{at}]\n{words}\n",
    "Zoom": "10:0{at}:00\t From  {who} : {words}",
    "a dash": "{who} - {words}",
    "a bar": "{who} | {words}",
    "a bar without blanks": "{who}|{words}",
    "a tab": "{who}\t{words}",
    "blanks that do not break": "\u00a0{who}\u00a0：{words}",
    "QQ": "2026-11-21 10:0{at}:00 {who}(10086)\n{words}\n",
    "an arrow": "{who} -> {words}",
    "a time in brackets behind": "[{who}] [10:0{at}] {words}",
    "seconds since the beginning": "( {at}s ) {who}: {words}",
    "minutes since the beginning": "( 1m {at}s ) {who}: {words}",
    "a sign for the direction of writing": "\u200e[21/11/2026, 10:0{at}:00] {who}: {words}",
    "a name before the role": "小夏({who}): {words}",
    "line ends as HTML": "<p>{who}：{words}</p>",
    "Korean": "2026년 11월 21일 오전 10:0{at}, {who} : {words}",
    "Japanese": "2026年11月21日 午前10:0{at} {who}：{words}",
}


@pytest.mark.parametrize("form", FORMS)
def test_read_reads_each_form_of_label(form):
    found = Read(transcript(FORMS[form]).encode()).conversation
    assert said(found) == TURNS
    if FORMS[form].startswith("2026"):
        assert found.started_at == datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("names", [("问", "答"), ("Q", "A"), ("q", "a"), ("お客様", "担当者"), ("고객", "상담원")])
def test_read_reads_words_for_both_sides(names):
    assert said(Read(transcript("{who}：{words}", names).encode()).conversation) == TURNS


def test_numbered_questions_are_questions():
    assert said(Read("Q1：几天能到\nA1：三天左右\nQ2：好".encode()).conversation) == TURNS


def test_a_question_within_a_message_is_a_part_of_it():
    content = "顾客：几天能到\n客服：三天左右\n问：还有别的吗\n答：没有\n顾客：好\n客服：再见\n顾客：再见\n客服：好"
    assert said(Read(content.encode()).conversation)[1] == ("agent", "三天左右\n问：还有别的吗\n答：没有")


@pytest.mark.parametrize("line", ["# 价目表", "**注意**", "<v 3>", "10:00\t红色\t大号", "__init__", "### 说明："])
def test_label_takes_no_heading_for_a_speaker(line):
    assert NO_ROLES.label(line) is None


HEADINGS = [
    "## Conversation 1008601",
    "===== 会话编号：1008601 =====",
    "--- Chat #1008601 ---",
    "【会话ID：1008601】",
    "~~~ session id: 1008601 ~~~",
]


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_heading_names_the_conversation(heading):
    other = heading.replace("1008601", "1008602")
    content = "\n".join([heading, transcript("{who}：{words}"), "", other, transcript("{who}：{words}")])
    found = Read(content.encode()).conversations
    assert [(talk.conversation_id, said(talk)) for talk in found] == [("1008601", TURNS), ("1008602", TURNS)]


BORDERS = [
    "--- 会话开始 2026-11-21 10:00:00 ---", "Chat started on 2026-11-21 10:00:00", "# 会话 S1008601（2026-11-21 10:00:00）",
    "Chat 1 of 2", "*** Gespräch Nr. 1 ***", "【会话 KF-100】2026-11-21", "Session ID: S1008601 | Channel: web",
]  # fmt: skip


@pytest.mark.parametrize("border", BORDERS)
def test_conversations_are_parted_where_each_begins(border):
    content = "\n".join(
        [border, transcript("{who}：{words}"), "", border.replace("1", "2"), transcript("{who}：{words}")]
    )
    found = Read(content.encode()).conversations
    assert [said(talk) for talk in found] == [TURNS, TURNS]
    if "S100" in border:
        assert [talk.conversation_id for talk in found] == ["S1008601", "S2008602"]
    if "10:00" in border:
        assert found[0].started_at == datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def test_a_heading_that_counts_names_no_conversation():
    found = Read(
        f"对话1：\n{transcript('{who}：{words}')}\n对话2：\n{transcript('{who}：{words}')}".encode()
    ).conversations
    assert [talk.conversation_id for talk in found] == ["log-0:2", "log-0:6"]
