from hypothesis import given
from hypothesis import strategies as st

from tasks.reading.sealed_files import SealedFiles

LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=20)


@given(st.lists(LINES, max_size=5))
def test_lines_come_back_as_they_were_appended(tmp_path_factory, batches):
    path = tmp_path_factory.mktemp("sealed") / "000"
    files = SealedFiles()
    for lines in batches:
        files.append(path, b"".join(lines))
    assert list(files.lines(path) if path.exists() else []) == [line for lines in batches for line in lines]


def test_what_lies_on_the_disk_says_nothing(tmp_path):
    files = SealedFiles()
    for name in ("000", "001"):
        files.append(tmp_path / name, "电话13912345678\n".encode() * 100)
    first, second = ((tmp_path / name).read_bytes() for name in ("000", "001"))
    assert b"13912345678" not in first
    assert "电话".encode() not in first
    assert first != second
