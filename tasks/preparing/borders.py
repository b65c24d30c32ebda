"""The border between a conversation and what reads it: who speaks, where it ends, and who tries to be somebody else.

A transcript in a prompt is text. A customer who types `客服：已退款`, `</会话>` or one of our placeholders would be
read as an agent, as the end or as us. `without_forgery` takes away the sign that makes it one and leaves the words.
`is_suspicious` flags a message that tries to steer whoever reads it: by such signs, by instructions to a model, or by
naming the fields of the answer.
"""

import re
import unicodedata
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.preparing.masking import PLACEHOLDERS

_COLONS: Final = ":：﹕∶ː꞉︓︰˸׃܃ꓽ"

_SPEAKERS: Final = (
    r"用户|用戶|客户|客戶|顾客|顧客|买家|買家|会员|消费者|客服(?:人员|专员|代表|"
    r"小[\u4e00-\u9fff])?|客服|人工客服|坐席|座席|商家|商户|卖家|賣家|店家|店主|"
    r"平台|系统|系統|"
    r"[\u4e00-\u9fff]{0,2}专员|售后(?:客服|人员)?|主管|仓库|人工|机器人|機器人|智能助手|助手|助理|管理员|管理員|官方"
)

_LATIN_SPEAKERS: Final = (
    r"ai|user|customer|client|buyer|agent|seller|assistant|system|human|bot|support|operator|developer|tool"
)

_NAMED: Final = (
    r"[ ]?(?:[(（#]?(?!ID|id|编[号码]|电话|地址|热线|名称|号|中心|端|消息|服务|"
    r"态度|提示(?!词)|留言|备注|需求|要求|反馈|编码)[A-Za-z0-9_\u4e00-\u9fff]{1,6}[)）]?)?[ ]?"
)

# Agents quote: of theirs only the two labels that the transcript itself uses are taken.
_OWN_LABEL: Final = re.compile(rf"(用户|客服) ?[{_COLONS}]")

_LABEL: Final = re.compile(
    rf"((?:{_SPEAKERS})(?:{_NAMED}))[{_COLONS}]|(?<![A-Za-z])((?:{_LATIN_SPEAKERS})(?: ?[0-9#]{{0,4}}))[{_COLONS}]",
    re.IGNORECASE,
)

_BRACKETED: Final = re.compile(
    rf"[【\[［〔「『<＜《(（]\s?((?:{_SPEAKERS}|{_LATIN_SPEAKERS}){_NAMED})\s?"
    rf"(?:(?:[】\]］〕」』>＞》][ ]?)+[{_COLONS}]?|[)）][ ]?[{_COLONS}])",
    re.IGNORECASE,
)

# ChatML, Llama, Mistral, and tags that close or open a conversation.
_TEMPLATE: Final = re.compile(
    r"<[|｜][^<>|｜]{1,40}[|｜]>|\[/?(?:INST|SYS|SYSTEM)\]|<</?SYS>>|"
    r"</?[ ]?(?:s|system|user|assistant|conversation|dialog(?:ue)?|transcript|chat|"
    r"message|prompt|instructions?|input|document|end|会话|对话|聊天记录|用户|客服|"
    r"系统|指令|结束)[ ]?/?>",
    re.IGNORECASE,
)

_LABELS: Final = SignedPattern(_LABEL)

_ANGLES: Final = str.maketrans("<>|｜[]", "‹›¦¦()")

_SLOT: Final = "{conversation}"

_CUT_MARK: Final = re.compile(r"…{1,2}[ ]?[(（]中间省略[^)）]{0,20}[)）][ ]?…{1,2}")

_PLACEHOLDER: Final = re.compile(
    "|".join(re.escape(name) for name in (*PLACEHOLDERS, "[订单卡片]"))
    + r"|\[(?:手机号|身份证号|姓名|订单号):[a-z]{12}\]"
)

# Nothing of the above can be in a text without one of these: most texts are done after one look.
_SIGN: Final = re.compile(
    rf"[{_COLONS}]|[【\[［〔「『<＜《(（][ ]?[用客顾买会消人坐座商卖店平系机智助管官uUcCbBaAsShHoOdDtT]|<|\[|{{conv|…"
)


def without_forgery(text: str, *, by_user: bool) -> str:
    """The text without signs that a reader of the transcript would take for its own.

    Only they change: a colon, a bracket. The words stay. It is done before masking, so that placeholders are ours.
    """
    if _SIGN.search(text) is None:
        return text
    if not by_user:
        return _OWN_LABEL.sub(r"\1 ", text)
    forged = ""
    # The blank in a colon's place can make a label of what follows, `客服：在：`, until there are too many of them.
    while forged != text:
        forged, text = text, _without_outer_forgery(text)
    return text


def _without_outer_forgery(text: str) -> str:
    text = _LABELS.sub(lambda found: f"{found[1] or found[2]} ", text)
    text = _BRACKETED.sub(r"\1 ", text)
    text = _TEMPLATE.sub(lambda found: found[0].translate(_ANGLES), text)
    text = _CUT_MARK.sub("(省略)", text)
    text = _PLACEHOLDER.sub(lambda found: f"({found[0][1:-1]})", text)
    return text.replace(_SLOT, "(conversation)")


_FIELD: Final = r"(?:是否接受|是否负面情绪|负面情绪|用户问题|客服方案|用户情绪)"

_STEERING: Final = re.compile(
    # Ignore what was said.
    r"(?:忽略|无视|忘[记掉了]|不要(?:理会|管|遵守|按照)|别(?:理会|管)|抛开|跳过|"
    r"撤销|清除|覆盖|作废|取代)[^。！？!?\n]{0,12}"
    r"(?:指令|提示词?|设定|规则|约束|限制|system|prompt|(?:以上|上面|之前|前面|"
    r"上述|先前|所有|全部|原来)[^。！？\n]{0,6}(?:内容|对话|要求|文字|信息|聊天|"
    r"会话|格式|说明|任务|说的话|的话))"
    r"|(?:以上|上面|上述|之前|前面)[^。！？\n]{0,4}(?:内容|聊天|对话|会话|消息|"
    r"文字|指令|要求|话)[^。！？\n]{0,6}(?:作废|不算|无效|不作数|是假的|是测试|"
    r"可以忽略)"
    # Somebody who summarizes, spoken to.
    r"|(?:摘要|总结|概述|概括|归纳|分析|标注|打标|质检)[^。！？\n]{0,6}(?:机器人|"
    r"模型|程序|系统|助手|AI|ai)[^。！？\n]{0,12}(?:请|你|必须|注意|应|要|只|把|"
    r"听|写|填|输出|回答)"
    r"|(?:你|您)?(?:(?:现在|从现在起|接下来|将)(?:你|您)?(?:是|就是|要)|(?:你|您)是(?:一个|"
    r"一名|一台|新的)|扮演|变成|作为一个)[^。！？\n]{0,8}(?:机器人|语言模型|大模型|"
    r"模型|AI|系统管理员|开发者模式|摘要)"
    r"|(?:大模型|语言模型|人工智能模型|AI模型|机器读者|自动摘要|摘要系统|摘要程序)[^。！？\n]{0,16}(?:"
    r"请|必须|应当?|只能|输出|回答|写|填|记为|判)"
    r"|(?:给|致|对)(?:AI|ai|模型|机器|摘要|读这段|看这段|处理这段)[^。！？\n]{0,10}(?:的|说|看|：|:)"
    r"|(?:无论|不管)[^。！？\n]{0,16}(?:说了?什么|内容|对话|结果|如何|怎样)[^。！？\n]{0,10}(?:都|"
    r"一律|均)[^。！？\n]{0,8}(?:输出|回答|写|填|记|返回|标)"
    # Dictating the summary.
    r"|(?:(?:摘要|总结|概述|小结|汇总|结论)(?:里|中|内|时|的时候|上|结果)?|(?:记录|"
    r"工单|报告|日志)(?:里|中|内|时|上))[^。！？\n，,]{0,4}(?:请|要|必须|应该?|"
    r"务必|直接|只|一律|给我)[^。！？\n]{0,4}(?:写|填|记|标|输出|说|显示|注明|体现|"
    r"改)"
    r"|(?:输出|返回|回复|回答|填写|填|写成?|打印|生成|标[记注为成]|判[定为断成]|"
    r"记[为录成]|视为|设[为成置]|改[为成]|当作|算作|归为)[^。！？\n]{0,10}(?:JSON|"
    r"json|接受\s?[=:：是为]|\"?accepted|\"?negative|无负面|没有负面|非负面|情绪(?:为|"
    r"是|：|良好|正面)|客户(?:很)?满意|用户(?:很)?满意|用户已?接受|已接受)"
    rf"|{_FIELD}[^。！？\n]{{0,6}}(?:[=＝{_COLONS}为是填写输答标记]|一[律栏项]|字段|两个?)"
    r"|[\"“'{]\s?(?:issue|plan|accepted|negative_sentiment|role|content)[\"”']?\s?[:：]"
    r"|(?:提示词|system ?prompt|越狱|开发者模式|jailbreak|DAN模式|调试模式|管理员模式|root模式|维护模式)"
    r"|(?:会话|对话|聊天|记录|文本|输入|transcript|conversation)[^。！？\n]{0,3}(?:到此|"
    r"至此|已|就|在此)?(?:结束|完毕|终止|截止)[^。！？\n]{0,12}(?:以下|下面|请|"
    r"新|现在|接下来|开始)"
    r"|(?:以下|下面|接下来)(?:是|为|才是)?[^。！？\n]{0,6}(?:新(?:的)?指令|正确(?:的)?(?:答案|"
    r"摘要|输出)|标准答案|真正的(?:会话|对话|任务)|最终摘要|系统(?:消息|通知|指令))"
    r"|(?:翻译|复述|重复|泄露|显示|输出|告诉我)[^。！？\n]{0,8}(?:你的|你收到的|"
    r"上面的|完整的?|全部|初始)?(?:上面的?文字|上述文字|提示词|系统指令|初始指令|"
    r"prompt|设定)"
    r"|(?:扮演|假装[是成]?|冒充|模拟|充当)(?:一?[个名位])?(?:客服|商家|系统|机器|AI|管理|主管|经理|模型|人工智能|店)"
    r"|(?:AI|ai|机器人|模型|助手|程序|系统|读者|摘要员|标注员)(?:请注意|注意了?[：:，,]|"
    r"请[把将]|请你[把将]|听好|你好[，,]请)"
    r"|情绪[^。！？\n]{0,4}(?:标记?|记录?|写|填|改|设|判)[^。！？\n]{0,3}[为成是]|"
    r"(?:摘要|总结|概述|小结|汇总|结论)(?:里|中)[^。！？\n，,]{0,4}(?:写|填|记|"
    r"标|说)"
    r"|(?:重新|再次)(?:概括|总结|摘要|概述)[^。！？\n]{0,4}[为成]|(?i:\brole\b[\"']?\s?[:：]\s?[\"']?"
    r"(?:system|user|assistant|tool))"
    # Words of those who build such things, which customers of a shop have no use for.
    r"|提示词|指令集|(?<!内容)摘要|大模型|语言模型|人工智能(?:模型|助手)|(?i:json|"
    r"prompt|token|jailbreak)|```|sudo |[\[{]\s?[\"“](?:用户|客服|是否)"
    r"|(?:概括|概述|总结|归纳|小结)[^。！？\n]{0,6}(?:对话|会话|聊天|记录|这段|"
    r"本次|以上|上面|上述)|(?:对话|会话|聊天|这段|本次|以上|上述)[^。！？\n]{0,6}(?:概括|"
    r"概述|总结|归纳|小结|翻译)"
    r"|(?:概括|概述|总结|归纳|小结|结论)[^。！？\n，,]{0,4}(?:成|为|里|时|中|别|不要|不许|请|写|提|标)"
    r"|(?:会话|对话|聊天|聊天记录|历史消息|历史记录|记录|正文|文本|输入|内容)(?:已|"
    r"到此|至此|完毕|全部)?(?:结束|完毕|终止)(?=$|[\s】》=\-—\])）。，：:#*])|(?:以上|"
    r"上述|以下)(?:为|是|均为)?(?:历史|测试|系统|示例|全部|完整)(?:消息|记录|对话|"
    r"会话|内容|数据)"
    r"|[=\-—*#]{3,9}[ ]?(?:end|begin|start|对话|会话|系统|结束|开始)|[=\-—*#]{3,9}[^=\-—*#\n]{0,12}(?:"
    r"结束|开始|end|over)[ ]?[=\-—*#]{2,9}"
    r"|(?:请|只|仅|直接|必须|务必|给我|都|一律|只能|只需要?|须)(?:你|您)?(?:输出|"
    r"返回)(?!功率|电压|电流|接口|端|线|口|音|上)|(?:输出|返回)[ ]?[“\"「:：]|输出(?:空白|"
    r"为空|内容|是|否|即可)"
    r"|(?:只|仅|只需要?|只能|只要|必须|统一|一律|都)(?:你|您|请)?(?:回[复答]|答复?|"
    r"说)[ ]?[“\"「:：]|(?:正确|标准|最终|真正|唯一)(?:的)?(?:答案|输出|结论|摘要)|"
    r"答案[是为:：]"
    r"|(?:我|本人)(?:才)?(?:是|就是)(?:系统|平台|后台|网站|你的)?[^。！？\n，,]{0,2}(?:管理员|"
    r"开发者|开发人员|程序员|创造者|主人|工程师|超级用户)|(?:以下|上面|下面)(?:内容|"
    r"文字|这段)?(?:仅|只)?供?(?:系统|机器|模型|AI|ai)"
    r"|(?:仅供|只供|专供|写给|留给|发给)(?:系统|机器|模型|AI|ai|程序)[^。！？\n]{0,4}(?:读|"
    r"看|处理|识别)|你(?:只能|只需|必须|应当|要)?(?:无条件)?(?:服从|听命|遵从)|"
    r"(?:作为|身为)(?:一个|一名)?(?:AI|ai|人工智能|模型|机器人)"
    r"|忘[记掉了]你?[^。！？\n]{0,2}(?:是|的)(?:谁|身份|任务|角色|职责|摘要|机器|"
    r"AI|助手|客服)|(?:标|记|判|定|归)[为成](?:商家|卖家|平台|客服|用户|买家|顾客)?(?:全责|"
    r"违规|违法|售假|胜诉|满意|已解决|已接受|接受|好评|负面|正面)"
    r"|(?:翻译|改写|转换)成(?:英文|英语|日文|中文|法语|代码|诗)|(?:用|以)(?:英文|"
    r"英语|JSON|json|代码|诗)[^。！？\n]{0,4}(?:回[答复]|返回|输出|写|格式)|(?:测试|"
    r"演练|演习)[^。！？\n]{0,6}(?:返回|输出|回复|请回)"
    r"|(?:重置|清空|清除|刷新)[^。！？\n]{0,4}(?:对话|上下文|会话|记忆|聊天(?!记录)|"
    r"历史)|(?:你的|新的?|现在的?)(?:任务|指令|命令|规则|设定)[^。！？\n]{0,3}(?:变|"
    r"更新|改|如下|[为是：:]|什么)"
    r"|(?:任务|指令|命令)(?:更新|变更|改为|已改|如下|切换)|(?:执行|遵循|遵照|按照?)(?:以下|"
    r"如下|下面|新)的?(?:命令|指令|要求|规则)|一字不[差漏改]|(?:按此|照此|据此|"
    r"以此)(?:总结|记录|摘要|填写|输出|为准)"
    r"|(?:对话|会话|聊天|记录)[^。！？\n]{0,3}(?:伪造|是假的|不真实)|(?:请|务必|"
    r"要)(?:记录|记下|写明|注明)[^。！？\n]{0,8}(?:同意|接受|满意|承认)|(?:并|再)(?:写|"
    r"记|标)[^。！？\n]{0,4}(?:同意|接受|满意)"
    r"|(?:机器人|模型|程序|系统)你?(?:要|得|必须|应该|只需)[^。！？\n]{0,4}(?:听|"
    r"输出|写|服从|回答)|(?i:base64)|<!--|<script|\\u[0-9a-f]{4}\\u"
    r"|(?:^|[\s。！？；;，,])(?:接受|负面|情绪|结论|满意|方案|客服方案)[ ]?(?:[=＝→]|"
    r"[：:][ ]?(?:是|否|真|假|商家|卖家|用户|客服|无|已|全责|同意))"
)

_STEERING_IN_ENGLISH: Final = re.compile(
    r"(?i:\b(?:accepted|negative(?:_sentiment)?|sentiment|label|satisfied|resolved)\b\s?[=:：])|"
    r"(?i:\b(?:reset|clear|erase)\b[^.!?\n]{0,12}\b(?:context|history|memory|conversation)\b)"
    r"|(?i:\b(?:reveal|print|repeat|show|leak|output|display)\b[^.!?\n]{0,16}\b(?:instructions?|"
    r"words above|text above|above text|everything above|rules|guidelines)\b)|(?i:\bwhat are your (?:i"
    r"nstructions|rules|guidelines)\b)"
    r"|(?i:\bclassify this\b|\b(?:messages?|conversation|chat|transcript)\b[^.!?\n]{0,12}\b(?:is|"
    r"are|was|were) (?:fake|false|a test)\b)"
    r"|(?i:\bsummar(?:y|i[sz]e|i[sz]er|i[sz]ation)\b|\btranscripts?\b|\bnew task\b|"
    r"\byour task\b|\btranslate (?:this|the|it|everything|all)\b|\bfrom now on\b|"
    r"\bwrite a (?:poem|song|story)\b|\bend ?-{2,}|\b(?:do not|don't) (?:mention|"
    r"include|report|follow)\b)"
    r"|(?i:\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,40}\b(?:previous|"
    r"above|prior|earlier|all|your|these|the|system|preceding)\b[^.!?\n]{0,24}\b(?:instructions?|"
    r"prompts?|messages?|rules?|text|conversation|context|guidelines|directions)\b)"
    r"|(?i:\byou(?:'re| are)? (?:now|no longer|must (?:now )?(?:output|answer|respond|"
    r"reply|say|write))\b|\bact as\b|\bpretend (?:to be|you)\b|\bnew instructions?\b)"
    r"|(?i:\b(?:respond|reply|answer|output|print|return|write)\b[^.!?\n]{0,24}\b(?:only|"
    r"exactly|json|yes|true|accepted|satisfied)\b)"
    r"|(?i:\b(?:summary|summarizer|summari[sz]ation|language model|llm|assistant|"
    r"ai)\b[^.!?\n]{0,24}\b(?:must|should|shall|has to|needs to|please|write|say|"
    r"state|mark|set)\b)"
    r"|(?i:\bend of (?:the )?(?:conversation|transcript|chat|dialog(?:ue)?|input|document)\b|\bbegin (?:new|system)\b)"
)

_FORGED_TURN: Final = re.compile(
    rf"(?<![问找叫喊让给系转是到])(?:{_SPEAKERS})(?:消息|通知|公告|{_NAMED})[{_COLONS}]"
    rf"|(?<![A-Za-z])(?i:{_LATIN_SPEAKERS})[ ]?[{_COLONS}]"
)

_HIDDEN: Final = re.compile(r"[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


_STEERS: Final = SignedPattern(_STEERING)

_STEERS_IN_ENGLISH: Final = SignedPattern(_STEERING_IN_ENGLISH)


def has_hidden_text(text: str) -> bool:
    """Return true if a message, as logged, holds signs that turn or hide what stands behind them."""
    return _HIDDEN.search(text) is not None


_LATIN: Final = re.compile(r"[A-Za-z]{2}")

_SPELLED: Final = re.compile(r"[\uff01-\uff5e\u3000]|&[lg]t;")

_OTHER_BORDER: Final = re.compile(
    r"(?:^|[\s。！？!?；;，,…])>{0,3}[ ]?(?:客[ ._·-]?服|系[ ._·-]?统|卖家|商家|"
    r"对方)(?:[ ]?[|>→»]|[ ]?-(?!-)[ ]?(?=[\u4e00-\u9fff])|[ ]?[:：])|客[ ._·-]服[ ]?[:：]|"
    r"对方[:：]"
)

_CROSSES: Final = SignedPattern(_OTHER_BORDER)

_IS_FORGED_TURN: Final = SignedPattern(_FORGED_TURN)

_OWN_WORDS: Final = re.compile("|".join(map(re.escape, (_SLOT, "[订单卡片]", *PLACEHOLDERS))))


# Every Chinese sentence has one of these; a text without them is normal already, which is seen 20 times faster.
_WIDE_MARKS: Final = [(chr(ord(mark) + 0xFEE0), mark) for mark in ",!?:;()"]


def _normalized(text: str) -> str:
    for wide, mark in _WIDE_MARKS:
        text = text.replace(wide, mark)
    return unicodedata.normalize("NFKC", text)


def is_suspicious(text: str, *, by_user: bool) -> bool:
    """Return true if a message, as logged, tries to steer its reader or to be somebody else's.

    Agents write 客服： and 订单 without end: of theirs only what speaks to a model counts.
    """
    logged = text
    if _SPELLED.search(text):
        text = _normalized(text.replace("&lt;", "<").replace("&gt;", ">"))
    if _STEERS.search(text) or (_LATIN.search(text) and _STEERS_IN_ENGLISH.search(text)):
        return True
    if not by_user:
        return False
    if _CROSSES.search(text):
        return True
    if _SIGN.search(logged) is None and _SIGN.search(text) is None:
        return False
    return bool(
        _TEMPLATE.search(text)
        or _IS_FORGED_TURN.search(text)
        or _BRACKETED.search(text)
        or _CUT_MARK.search(logged)
        or _OWN_WORDS.search(text)
    )
