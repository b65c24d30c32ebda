"""Logs that are cut, damaged, too long or no logs at all: every record comes out, or a reject with its line."""

import csv
import gzip
import io
import json
import random
import tracemalloc
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.domain.records import Conversation, Reason, Reject
from tasks.reading import containers
from tests.builders.log_shapes import ASK, SHAPES, TELL, TURNS, conversation, lines
from tests.builders.logs import Read, said


@pytest.mark.parametrize("cut", [0.05, 0.3, 0.6, 0.9, 0.999])
def test_read_conversations_keeps_what_stands_before_a_cut_in_gzip(cut):
    content = lines(*[conversation(n, note=random.Random(n).random()) for n in range(2000)])
    packed = gzip.compress(content)[: int(cut * len(gzip.compress(content)))]
    whole = zlib.decompressobj(31).decompress(packed).count(b"\n")
    read = Read(packed)
    assert [found.conversation_id for found in read.conversations] == [f"c{n}" for n in range(whole)]
    assert [(reject.reason, reject.line) for reject in read.rejects] == [(Reason.UNREADABLE, whole + 1)]
    assert "gzip" in read.rejects[0].detail


def test_a_parquet_file_that_means_one_value_in_every_row_fills_no_disk(monkeypatch):
    monkeypatch.setattr(containers, "_ALWAYS_ALLOWED_BYTES", 1 << 20)
    rows = 400
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["满" * 100_000]))
    ids = pa.array([f"c{number // 2}" for number in range(rows)])
    table = pa.table({"conversation_id": ids, "role": ["user", "agent"] * (rows // 2), "text": text})
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    assert len(file.getvalue()) < 100_000
    read = Read(file.getvalue())
    assert read.conversations == []
    (reject,) = read.rejects
    assert "more than any day of logs" in reject.detail


def test_read_conversations_says_where_gzip_is_damaged_and_reads_several_members():
    content = lines(*[conversation(n) for n in range(300)])
    assert len(Read(gzip.compress(content[:9999]) + gzip.compress(content[9999:]) + b"\0" * 512).conversations) == 300
    damaged = bytearray(gzip.compress(lines(*[conversation(n, x=random.Random(n).random()) for n in range(3000)])))
    damaged[len(damaged) // 2] ^= 0xFF
    read = Read(bytes(damaged))
    assert 1 < len(read.conversations) < 3000
    assert "gzip" in read.rejects[-1].detail
    wrong_sum = bytearray(gzip.compress(content))
    wrong_sum[-8] ^= 1
    read = Read(bytes(wrong_sum))
    assert (len(read.conversations), [reject.line for reject in read.rejects]) == (300, [301])
    assert "gzip" in Read(gzip.compress(content) + b"junk").rejects[0].detail


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_the_rest_of_a_damaged_file_is_lost_by_its_size(place):
    """Damage in gzip garbles what follows, and shows by the sum at the end alone."""
    chance = random.Random(7)
    notes = ["".join(chance.choices("订单物流退款地址发票优惠您好请稍等", k=200)) for _ in range(1000)]
    packed = bytearray(gzip.compress(lines(*[conversation(n, note=note) for n, note in enumerate(notes)])))
    at = int(place * len(packed))
    packed[at : at + 64] = bytes(64)
    read = Read(bytes(packed))
    there = len(read.conversations)
    assert there == pytest.approx(1000 * place, abs=150)
    assert read.tally.unread_conversations == pytest.approx(1000 - there, abs=150)


@pytest.mark.parametrize(
    "content",
    [random.Random(4).randbytes(300_000), b"PK\x03\x04" + bytes(100), b"PAR1" + bytes(9), b"\x89PNG\r\n\x1a\n" + bytes(99),
     b"\x1f\x8b\x08", b"just some words\n" * 3000, b'{"level": "INFO", "message": "started"}\n' * 30_000,
     "日期,销量\n1,2\n".encode() * 4000, b"\xff\xfe\xff", b"{" * 100_000, b'"' * 100_000, b"[" * 300_000,
     b'{"messages": ' + b"[" * 5000, "羽绒服什么时候到货".encode("utf-16-le") * 99],
)  # fmt: skip
def test_read_conversations_gives_one_reject_for_a_file_that_is_no_log(content):
    reject = Read(content).reject
    assert (reject.reason, reject.source_uri) == (Reason.UNREADABLE, "log-0")
    assert "羽绒" not in reject.detail


@pytest.mark.parametrize("content", [b"", b"\n\r\n  \n", b"\xef\xbb\xbf", b"\0" * 400_000, gzip.compress(b"", mtime=0)])
def test_read_conversations_takes_an_empty_object_for_what_it_is(content):
    read = Read(content)
    assert [found.format for found in read.detected] == ["empty"]
    assert read.all == read.detected


def test_read_conversations_says_once_what_a_long_bad_beginning_was():
    read = Read(b'{"x": 1}\n' * 5000 + lines(conversation(1)))
    assert len(read.conversations) == 1
    assert [reject.line for reject in read.rejects] == [1]
    assert "5000" in read.rejects[0].detail


def test_read_conversations_rejects_a_line_that_is_too_long_and_goes_on(monkeypatch):
    monkeypatch.setattr("tasks.reading.rules.objects.log_bytes.LINE_LIMIT_BYTES", 1 << 20)
    long = json.dumps(conversation(2, note="x" * (1 << 20)))
    read = Read(lines(conversation(1)) + long.encode() + b"\n" + lines(conversation(3)))
    assert [found.conversation_id for found in read.conversations] == ["c1", "c3"]
    assert [reject.line for reject in read.rejects] == [2]


@pytest.mark.parametrize("indent", [None, 1])
def test_read_conversations_passes_over_a_value_that_is_too_long_wherever_it_stands(indent, monkeypatch):
    monkeypatch.setattr("tasks.reading.rules.objects.log_bytes.LINE_LIMIT_BYTES", 1 << 20)
    records = [conversation(n, note="x" * (1 << 20) if n in (0, 3) else "") for n in range(5)]
    listed = Read(json.dumps(records, indent=indent).encode())
    parted = Read("\n".join(json.dumps(record, indent=indent) for record in records).encode())
    for read in (listed, parted):
        assert [found.conversation_id for found in read.conversations] == ["c1", "c2", "c4"]
        assert len(read.rejects) == 2
        assert all("of more than" in reject.detail for reject in read.rejects)


LONG = [300_000, 1 << 20, (1 << 20) + 70_000]  # above what is looked at for the format; the line's limit; beyond


@pytest.mark.parametrize("size", LONG)
@pytest.mark.parametrize("below", ["jsonl", "csv", "transcript"])
def test_read_conversations_knows_a_log_below_a_first_line_that_is_too_long(size, below, monkeypatch):
    monkeypatch.setattr("tasks.reading.rules.objects.log_bytes.LINE_LIMIT_BYTES", 1 << 20)
    logs = {
        "jsonl": lines(conversation(1)),
        "csv": f"id,role,text\nc1,user,{ASK}\nc1,agent,{TELL}\n".encode(),
        "transcript": f"用户：{ASK}\n客服：{TELL}\n".encode(),
    }
    read = Read(b"x" * size + b"\n" + logs[below])
    assert [said(found)[:2] for found in read.conversations] == [[("user", ASK), ("agent", TELL)]]
    assert Read(b"x" * size).reject.line == 1


def test_read_conversations_holds_no_more_of_a_transcript_than_its_limit_however_short_its_lines(monkeypatch):
    monkeypatch.setattr("tasks.reading.rules.transcripts.files.LINE_LIMIT_BYTES", 1 << 19)
    long = "用户：在\n" + "x\n" * 200_000
    tracemalloc.start()
    read = Read((long + f"-----\n用户：{ASK}\n客服：{TELL}\n").encode())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
    assert [reject.line for reject in read.rejects] == [1]
    assert [said(found) for found in read.conversations] == [TURNS]


words = st.text("好的在吗abc 12,\"'\t{}[]：:用户客服\\", max_size=12)


records = st.one_of(
    st.tuples(st.just("good"), words, words),
    st.tuples(st.just("blank"), st.sampled_from(["", " ", "\t", "]", ",", "// x"]), words),
    st.tuples(st.just("broken"), st.sampled_from(["{", "[1", '{"id": "x", "messages"', "nonsense", "\\"]), words),
    st.tuples(st.just("stranger"), st.sampled_from(["{}", "7", "null", '"x"', "[[]]", '[{"a": []}]', "true"]), words),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(records, max_size=12), st.sampled_from(["\n", "\r\n"]))
@example([("broken", "{", "")] * 3, "\n")
def test_read_conversations_accounts_for_every_line_of_jsonl(chosen, end):
    texts, good, bad = [json.dumps(conversation(0), ensure_ascii=False)], ["c0"], []
    for number, (kind, first, second) in enumerate(chosen, 2):
        if kind == "good":
            rows = [{"role": "user", "text": first + "?"}, {"role": "agent", "text": second + "!"}]
            texts.append(json.dumps({"id": f"c{number}", "messages": rows}, ensure_ascii=False))
            good.append(f"c{number}")
        else:
            texts.append(first)
            if kind != "blank":
                bad.append(number)
    read = Read(end.join(texts).encode())
    assert [found.conversation_id for found in read.conversations] == good
    assert [reject.line for reject in read.rejects] == bad


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.text("好a,\"\n; '", min_size=0, max_size=8)), max_size=20),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_read_conversations_gives_back_every_row_of_a_table(rows, delimiter, quoting):
    table = io.StringIO()
    writer = csv.writer(table, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerow(["id", "role", "content"])
    for number, is_user, text in rows:
        writer.writerow([f"c{number}", "user" if is_user else "agent", f"x{text}"])
    read = Read(table.getvalue().encode())
    expected: dict[str, list[tuple[str, str]]] = {}
    for number, is_user, text in rows:
        expected.setdefault(f"c{number}", []).append(("user" if is_user else "agent", f"x{text}"))
    whole = {key: turns for key, turns in expected.items() if len({role for role, _ in turns}) == 2}
    assert {found.conversation_id: said(found) for found in read.conversations} == whole
    assert {reject.conversation_id for reject in read.rejects} == expected.keys() - whole.keys()


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(SHAPES)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=6)), max_size=6),
    st.sampled_from(["auto", "same"]),
    st.booleans(),
)
@example("tsv", [(0.28125, 2, b"")], "auto", True)  # a header that goes on in a row's text
def test_read_conversations_survives_any_damage_with_something_to_say(log_format, damage, asked, packed):
    content = SHAPES[log_format] * 3
    content = gzip.compress(content) if packed else content
    for where, cut, inserted in damage:
        at = int(where * len(content))
        content = content[:at] + inserted + content[at + cut :]
    read = Read(content, log_format="auto" if asked == "auto" else log_format)
    assert len(read.detected) == 1
    assert all(isinstance(found, Conversation | Reject) for found in read.all[1:])
    assert len(read.all) > 1 or not content.strip(b"\0 \r\n") or read.detected[0].format == "empty"
    for reject in read.rejects:
        assert "羽绒" not in reject.detail
        assert reject.line >= 1
    for found in read.conversations:
        json.dumps([said(found), dict(found.attributes)], ensure_ascii=False).encode()
