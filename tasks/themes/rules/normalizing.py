"""Texts made alike before rules and model read them: width, case, blanks, placeholders, a reporter's opening words."""

import pyarrow as pa
import pyarrow.compute as pc

# Order cards, masked values and markup say nothing about what is asked.
_NOISE = (
    r"\[[^\[\]]{0,40}\]|咨询订单号:?|订单金额:?|下单时间:?|商品id:?|nan-nan-nan|nan:nan|京东快递\(移动端\)|"
    r"(订单业务|商品信息|物流)咨询|&[a-z]{2,5};|\\n|https?://[\x21-\x7e]+|[\s\x{3000}~^…。.!?;:,、\"'“”‘’()《》【】]+"
)

_ADDRESS = (
    r"^((你们?|您|亲)?好(的)?|hi|hello|喂|亲|在吗|在么|在不|请问(一下)?|麻烦问一下|"
    r"(我)?想(问|咨询)一?下|(我)?想请问(一下)?|那个?|嗯+|哦+)+"
)

_REPORTED = (
    r"^(客户|用户|顾客|买家|消费者|会员|商家|对方|来电人)(再次|多次|来电|进线|又|还|想|主要|需要)*"
    r"(询问|咨询|反映|反馈|想知道|想了解|想问|表示|声称|称|说|要求|请求|希望|问|请教|了解|提出|质疑|认为|核实|查询)*(一下|到|了)?|"
    r"^(询问|咨询|反映|反馈|想知道|想了解|请教|索要|要求)(一下)?"
)


def normalize(texts: pa.Array) -> pa.Array:
    """Texts as rules and model read them; a null becomes the empty string."""
    plain = pc.utf8_lower(pc.utf8_normalize(pc.fill_null(texts, ""), form="NFKC"))
    for pattern in (_NOISE, _REPORTED, _ADDRESS):
        # Where nothing else would be left, the opening words are the text.
        shorter = pc.replace_substring_regex(plain, pattern=pattern, replacement="")
        plain = shorter if pattern is _NOISE else pc.if_else(pc.equal(shorter, ""), plain, shorter)
    return plain
