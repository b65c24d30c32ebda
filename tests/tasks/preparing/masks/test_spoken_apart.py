import pytest

from tasks.preparing.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我住三单元五零二", "我住[地址]"),
        ("三号楼二单元六零一室", "[地址]"),
        ("护照 E 1234 5678", "护照 [护照号]"),
        ("港澳通行证号 C 1234 5678", "港澳通行证号 [护照号]"),
        ("密码发你了：abc123456", "密码发你了：[密码]"),
        ("密码我发给你 Qwe@2024", "密码我发给你 [密码]"),
        ("(02)2345-6789", "[电话]"),
        ("电话 (07) 234 5678", "电话 [电话]"),
    ],
)
def test_what_is_spoken_or_written_apart_is_masked(text, masked):
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize("text", ["第三单元五百块", "密码忘了：怎么找回", "护照要等 20 天", "二单元三千元"])
def test_what_only_looks_like_it_stays(text):
    assert mask(text) == text
