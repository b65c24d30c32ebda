"""Names, addresses and numbers that are generated from a seed, from words of this file."""

import random

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

CHINESE = str.maketrans("0123456789", "零一二三四五六七八九")

MILITARY = str.maketrans("0123456789", "零幺二三四五六七八九")

CAPITAL = str.maketrans("0123456789", "零壹贰叁肆伍陆柒捌玖")

CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文欧阳司马诸葛上官"

DOUBLE = ("欧阳", "司马", "诸葛", "上官", "慕容", "令狐")

GIVEN = [
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "军",
    "洋",
    "勇",
    "艳",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "秀英",
    "霞",
    "平",
    "刚",
    "桂英",
    "建国",
    "建华",
    "文博",
    "子涵",
    "梓萱",
    "欣怡",
    "雨桐",
    "思远",
    "佳琪",
    "浩然",
    "宇轩",
    "一诺",
    "诗涵",
    "若曦",
    "皓轩",
    "俊熙",
    "雪梅",
    "春燕",
    "海波",
    "志强",
    "志明",
    "国庆",
    "红梅",
    "玉兰",
    "晓东",
    "晓红",
    "小燕",
    "小龙",
    "丹丹",
    "婷婷",
    "莹莹",
    "倩倩",
    "振华",
    "立新",
    "新民",
    "永强",
    "长江",
    "天翔",
    "沐辰",
    "奕泽",
    "语嫣",
    "星辰",
    "可馨",
    "梦瑶",
    "亦菲",
    "思思",
    "德华",
    "学友",
    "润发",
    "家辉",
    "朝伟",
    "嘉玲",
    "曼玉",
    "青霞",
    "祖贤",
    "楚红",
    "冠希",
    "柏芝",
    "杰伦",
    "依林",
    "慧敏",
    "美凤",
    "凤英",
    "翠花",
    "铁柱",
    "大勇",
    "二妮",
    "三丰",
    "五常",
    "来福",
    "满仓",
    "根生",
    "水生",
    "土根",
    "冬梅",
    "夏荷",
]

CITIES = (
    ("浙江省", "杭州市", "西湖区"), ("广东省", "深圳市", "南山区"), ("江苏省", "苏州市", "昆山市"), ("", "北京市", "朝阳区"), ("", "上海市", "浦东新区"),
    ("四川省", "成都市", "武侯区"), ("河北省", "保定市", "定兴县"), ("湖南省", "长沙市", "岳麓区"), ("内蒙古自治区", "呼和浩特市", "赛罕区"),
    ("山东省", "济南市", "历下区"), ("", "重庆市", "渝北区"), ("福建省", "泉州市", "晋江市"), ("新疆维吾尔自治区", "乌鲁木齐市", "天山区"),
    ("云南省", "大理白族自治州", "大理市"), ("贵州省", "黔东南苗族侗族自治州", "凯里市"), ("安徽", "合肥", "蜀山区"), ("河南", "郑州", "金水区"),
)  # fmt: skip

ROADS = [
    "文三路",
    "建国路",
    "中山北路",
    "人民大道",
    "解放西路",
    "科苑南路",
    "沪闵路",
    "长安街",
    "天府大道中段",
    "光明胡同",
    "学院路",
    "滨江大道",
    "幸福里",
    "南京西路",
    "和平街",
    "星湖街",
    "麓山南路",
    "春晗路",
    "三元里大道",
    "延安中路",
]

ESTATES = [
    "阳光花园",
    "万科城市花园",
    "翠湖天地",
    "保利香槟国际",
    "金色家园",
    "世纪城",
    "龙湖春江郦城",
    "恒大名都",
    "绿地国际花都",
    "碧桂园",
    "幸福小区",
    "紫金苑",
    "科兴科学园",
    "创意产业园",
    "中海寰宇天下",
    "水岸新都",
    "阳光100",
]

VILLAGES = ["大王庄村", "李家屯村", "张家湾村", "石桥村", "新联村", "东升村"]

TOWNS = ["固城镇", "粤海街道", "转塘街道", "周浦镇", "石牌镇", "龙门乡", "张江镇"]

BLANKS = ("", " ", "-", " - ", ".", "\u3000", "—", "/", "\n")


class Maker:
    """Values and texts around them, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def digits(self, count: int, first: str = "0123456789") -> str:
        return self.random.choice(first) + "".join(self.random.choices("0123456789", k=count - 1))

    def grouped(self, number: str, sizes: tuple[int, ...], separator: str) -> str:
        parts, start = [], 0
        for size in sizes:
            parts.append(number[start : start + size])
            start += size
        return separator.join([*parts, number[start:]] if start < len(number) else parts)

    def name(self) -> str:
        if self.random.random() < 0.04:
            return self.random.choice(DOUBLE) + self.random.choice(GIVEN)
        return self.random.choice(SURNAMES[:-8]) + self.random.choice(GIVEN)

    def door(self) -> str:
        n = self.random.randint
        estate, road = self.random.choice(ESTATES), self.random.choice(ROADS)
        return self.pick(
            f"{road}{n(1, 999)}号", f"{road}{n(1, 999)}号{estate}{n(1, 30)}栋{n(1, 4)}单元{n(101, 3402)}室", f"{road}{n(1, 999)}号{n(1, 30)}号楼{n(101, 999)}",
            f"{road}{n(100, 3000)}弄{n(1, 200)}号{n(101, 999)}室", f"{estate}{n(1, 30)}栋{n(101, 3402)}", f"{estate}{self.pick('A', 'B', 'C')}座{n(101, 3402)}室",
            f"{estate}{n(1, 30)}幢{n(1, 4)}单元{n(101, 999)}", f"{road}甲{n(1, 99)}号院{n(1, 9)}号楼{n(1, 5)}门{n(101, 699)}", f"{road}与{self.random.choice(ROADS)}交叉口{estate}{n(1, 9)}号楼",
            f"{self.random.choice(VILLAGES)}{n(1, 12)}组{n(1, 200)}号", f"{road}{n(1, 99)}号{estate}{n(1, 30)}-{n(1, 4)}-{n(101, 999)}", f"{road}{self.pick('一', '二十三', '一百零八')}号",
            f"{self.random.choice(VILLAGES)}{n(1, 200)}号", f"{estate}{self.pick('一', '二', '三')}期{n(1, 20)}号楼{n(1, 3)}单元{n(1, 30)}楼{self.pick('东', '西')}户",
        )  # fmt: skip

    def address(self) -> str:
        province, city, district = self.random.choice(CITIES)
        town = self.random.choice(TOWNS) if self.random.random() < 0.3 else ""
        parts = [part for part in (province, city, district, town, self.door()) if part]
        shape = self.random.random()
        if shape < 0.15:
            return " ".join(parts)
        if shape < 0.25:
            return "".join(parts[1:])
        return "".join(parts)
