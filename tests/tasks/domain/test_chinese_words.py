import marshal
import tempfile
from functools import cache

import jieba
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.chinese_words import ChineseWords

# Words of the dictionary, parts of some, and what is in no dictionary.
WORDS = ("快递员", "态度恶劣", "态", "恶", "退货退款", "退", "款", "们好", "𠮷", "A站", "T恤", "c#", "AT&T", "3.5")
PIECES = (*WORDS, "，", " ", "\n")
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)).map("".join)


@cache
def all_of_jieba() -> jieba.Tokenizer:
    jieba.setLogLevel("WARNING")
    tokenizer = jieba.Tokenizer()
    with tokenizer.get_dict_file() as file:
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(file)
    tokenizer.initialized = True
    tokenizer.add_word("们好吗")
    return tokenizer


@cache
def by_need() -> ChineseWords:
    words = ChineseWords()
    words.add("们好吗")
    return words


@given(TEXTS, st.booleans())
def test_words_are_those_of_the_whole_dictionary(text, guess):
    assert list(by_need().cut(text, guess)) == list(all_of_jieba().cut(text, HMM=guess))


@given(TEXTS, st.booleans())
def test_words_of_a_text_are_those_of_its_pieces(text, guess):
    pieces = [list(by_need().cut(piece, guess)) for piece in ChineseWords.pieces(text)]
    assert [word for words in pieces for word in words] == list(all_of_jieba().cut(text, HMM=guess))


def test_a_cache_that_somebody_left_changes_no_words(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "jieba.cache").write_bytes(marshal.dumps(({"快递员态": 10**9}, 10**9)))
    assert list(ChineseWords().cut("快递员态度恶劣")) == ["快递", "员", "态度恶劣"]
