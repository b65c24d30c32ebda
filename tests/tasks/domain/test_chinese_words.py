import marshal
import tempfile

import jieba

from tasks.domain.chinese_words import load_dictionary


def test_a_cache_that_somebody_left_changes_no_words(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "jieba.cache").write_bytes(marshal.dumps(({"快递员态": 10**9}, 10**9)))
    words = list(load_dictionary(jieba.Tokenizer()).cut("快递员态度恶劣"))
    assert words == ["快递", "员", "态度恶劣"]
