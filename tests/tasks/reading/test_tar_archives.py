"""Archives of tar, as `tar czf` makes them of a folder of exports."""

import io
import json
import tarfile

import pytest

from tests.builders.logs import Read, said

TURNS = [("user", "尺码偏小"), ("agent", "可以换"), ("user", "好")]


def log(number):
    rows = [{"role": side, "text": words} for side, words in TURNS]
    return json.dumps({"session_id": f"c{number}", "messages": rows}, ensure_ascii=False).encode()


def tar(files, mode="w"):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return held.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_read_reads_the_files_of_an_archive(mode):
    found = Read(tar({"a/1.jsonl": log(1), "./a/2.jsonl": log(2), "a/._1.jsonl": b"\0\5", ".DS_Store": b"\0"}, mode))
    assert [(talk.conversation_id, said(talk)) for talk in found.conversations] == [("c1", TURNS), ("c2", TURNS)]
    assert [talk.source_uri for talk in found.conversations] == ["log-0!a/1.jsonl", "log-0!./a/2.jsonl"]
    assert found.rejects == []


def test_read_names_what_an_archive_holds_beside_logs():
    found = Read(tar({"1.jsonl": log(1), "readme.txt": "请勿外传".encode()}))
    assert [reject.source_uri for reject in found.rejects] == ["log-0!readme.txt"]


def test_read_keeps_what_stands_before_the_damage():
    found = Read(tar({f"{n}.jsonl": log(n) * 200 + b"\n" for n in range(3)})[:-30_000])
    assert found.rejects[-1].detail.startswith("a tar archive that is damaged")


def test_read_leaves_an_archive_in_an_archive_alone():
    assert "a tar archive, not a log" in Read(tar({"inner.tar": tar({"1.jsonl": log(1)})})).reject.detail
