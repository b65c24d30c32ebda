"""Traditional Chinese characters as simplified ones, for the words that the project's rules know.

One character for another (after OpenCC's table, Apache-2.0), so that places in a text stay the same. Only characters
of words that some rule looks for are here: what is quoted from a text stays as it was written.
"""

from typing import Final

_TRADITIONAL: Final = (
    "並乾併來侷係倉個偵備傢傳傷傾僅價儘償優兌兒內兩別則剋剛劇勁動務勸匯區協卻卽厭員唸問喪單嗎嘍嘗噁噠噹嚐嚮嚴圍圖埰執堅報場壓壞夠夾妳媽學寀實寫專對導層屬師帶幫幹幾庫張強彆彔彙後徑從復徵"
    "徹恥悅悶惡惱愛態慍慮慼憂憑憤應懟懣懷戶採換摻擁擇擊擔據擾攔敎敗敵斂斷於昇時暫曉曏書會東査條棄極榦構標樣機檢檯氣決沒沖況洩測湧準溫滙滾滿潛潰濃瀉為無煩熱爛爭爲犢狀猶獲現產産異當瘋發盡"
    "監盤眞眾瞞確碼禮種稱積穩穫窩箇簽籤約紅納級紮細終結絕給絲絶經綫維綵緊緒線緻總繫繼續纍纔罵翫聞聯聲聽脅脩膠臟臺與興舉舊萬葯蒐蓋藥藴蘊處號衆衊衕衝裏補裝裡製複覈見規視親覺觀觸訂計討訓記"
    "許訴註証評詞詢試詰話該詳認語誠說説調談請諒論諮諷諾講謝謾證識譜議譴讀變讓讚豈負貨貫責貴買費賠賣質賬贈贊跡蹟蹤較載輕輸轉辦辭迴這連週進運過達違遞適選遺還郵鄰醣釋針鈕銷銹鋪鋼錄錢錯録錶"
    "鍼鏽長門閃開間閤闇關陞陰陳陽際隨隱隻雖雜離難電靜項順預領頭頻題額願類顧顯颱飾餘餵饋馬駡騎騙騷驗驟髒體髮鬧鬱麪麫麵麼麽點齣"
)

_SIMPLIFIED: Final = (
    "并干并来局系仓个侦备家传伤倾仅价尽偿优兑儿内两别则克刚剧劲动务劝汇区协却即厌员念问丧单吗喽尝恶哒当尝向严围图采执坚报场压坏够夹你妈学采实写专对导层属师带帮干几库张强别录汇后径从复征"
    "彻耻悦闷恶恼爱态愠虑戚忧凭愤应怼懑怀户采换掺拥择击担据扰拦教败敌敛断于升时暂晓向书会东查条弃极干构标样机检台气决没冲况泄测涌准温汇滚满潜溃浓泻为无烦热烂争为犊状犹获现产产异当疯发尽"
    "监盘真众瞒确码礼种称积稳获窝个签签约红纳级扎细终结绝给丝绝经线维彩紧绪线致总系继续累才骂玩闻联声听胁修胶脏台与兴举旧万药搜盖药蕴蕴处号众蔑同冲里补装里制复核见规视亲觉观触订计讨训记"
    "许诉注证评词询试诘话该详认语诚说说调谈请谅论咨讽诺讲谢谩证识谱议谴读变让赞岂负货贯责贵买费赔卖质账赠赞迹迹踪较载轻输转办辞回这连周进运过达违递适选遗还邮邻糖释针钮销锈铺钢录钱错录表"
    "针锈长门闪开间合暗关升阴陈阳际随隐只虽杂离难电静项顺预领头频题额愿类顾显台饰余喂馈马骂骑骗骚验骤脏体发闹郁面面面么么点出"
)

_TABLE: Final = str.maketrans(_TRADITIONAL, _SIMPLIFIED)

_CHARACTERS: Final = frozenset(_TRADITIONAL)


def simplified(text: str) -> str:
    """The text with its traditional characters simplified."""
    return text if _CHARACTERS.isdisjoint(text) else text.translate(_TABLE)
