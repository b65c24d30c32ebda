"""Texts with personal data of each kind, and look-alikes without any, for measuring the mask."""

from collections.abc import Callable, Iterator

from tests.benchmarks.masking_values import BLANKS, CAPITAL, CHINESE, CIRCLED, FULL_WIDTH, MILITARY, Maker

Case = tuple[str, str]  # a text, and the value that must not be left in it


def id_card(make: Maker, old: bool = False) -> str:
    birth = f"{make.random.randint(1940, 2012)}{make.random.randint(1, 12):02}{make.random.randint(1, 28):02}"
    if old:
        return f"{make.pick('110105', '310115', '440305')}{birth[2:] if birth < '2000' else '900101'}{make.digits(3)}"
    body = make.pick("110105", "310115", "440305", "650102") + birth + make.digits(3)
    return body + "10X98765432"[sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(body)) % 11]


def bank_card(make: Maker) -> str:
    body = make.pick("6222", "6217", "4367", "5187", "6230") + make.digits(make.random.choice((11, 14)))
    for check in "0123456789":
        doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(body + check))]
        if sum(d // 10 + d % 10 for d in doubled) % 10 == 0:
            return body + check
    raise AssertionError


def mobile(make: Maker) -> Case:
    number = make.pick("13", "15", "17", "18", "19") + make.digits(9)
    style = make.random.randrange(14)
    if style < 3:
        shown = make.grouped(number, make.random.choice(((11,), (3, 4, 4), (7, 4), (3, 8))), make.pick(*BLANKS))
    elif style < 9:
        table = (FULL_WIDTH, CHINESE, MILITARY, CAPITAL, CIRCLED, FULL_WIDTH)[style - 3]
        shown = make.grouped(number, make.random.choice(((11,), (3, 4, 4))), make.pick("", " ", "-")).translate(table)
    elif style == 9:
        shown = "".join(f"{digit}\ufe0f\u20e3" for digit in number)
    elif style == 10:
        shown = make.pick("+86", "+86 ", "86-", "0086", "(+86)", "+86-") + number
    elif style == 11:
        shown = " ".join(number)
    elif style == 12:
        shown = number[:3] + number[3:7].translate(CHINESE) + number[7:]
    else:
        shown = make.pick("，", "、", ",").join((number[:3], number[3:7], number[7:]))
        return f"我手机号是{shown}", shown
    around = make.pick(
        "我的电话{}，麻烦回个电话",
        "{}",
        "打这个{}",
        "手机号：{}。",
        "联系 {} 就行",
        "新号码{}换一下",
        "请拨{}联系我",
        "收件人电话{}谢谢",
        "{}这个号码打不通吗",
    )
    return around.format(shown), shown


def landline(make: Maker) -> Case:
    area = make.pick("010", "021", "0571", "0755", "020", "0311")
    local = make.digits(8 if len(area) == 3 or area in ("0571", "0755") else 7, "2345678")
    shown = make.pick(
        f"{area}-{local}",
        f"{area}{local}",
        f"({area}){local}",
        f"{area} {local[:4]} {local[4:]}",
        f"{area}－{local}",
        f"（{area}）{local}",
        f"+86-{area[1:]}-{local}",
        f"{area}-{local}转{make.digits(3)}",
    )
    return make.pick("座机{}", "打公司电话{}找前台", "{}没人接", "传真{}").format(
        shown
    ), local if " " not in shown else shown[-9:]


def foreign(make: Maker) -> Case:
    shown = make.pick(
        f"+1 415 {make.digits(3, '23456789')} {make.digits(4)}", f"+852 {make.digits(4, '569')} {make.digits(4)}", f"+44 20 {make.digits(4, '7')} {make.digits(4)}", f"00852{make.digits(8, '569')}",
        f"+81-90-{make.digits(4)}-{make.digits(4)}", f"+1-{make.digits(3, '234567')}-{make.digits(3)}-{make.digits(4)}", f"+65 {make.digits(8, '89')}", f"+61 4{make.digits(2)} {make.digits(3)} {make.digits(3)}",
        f"+886 9{make.digits(8)}", f"+852-{make.digits(8, '569')}", f"001-{make.digits(3, '234567')}-{make.digits(3)}-{make.digits(4)}", f"(+1) {make.digits(3, '234567')}-{make.digits(3)}-{make.digits(4)}",
    )  # fmt: skip
    return make.pick("国外号码{}", "{}", "WhatsApp {}", "我人在国外，电话{}").format(shown), shown[-4:]


def email(make: Maker) -> Case:
    local = make.pick("zhangsan", "li.si_88", "wang-wu", "a123456", "xiaoming2020", "HelloKitty", "1234567")
    host, tld = (
        make.pick("qq", "163", "126", "gmail", "outlook", "sina", "foxmail", "mycompany"),
        make.pick("com", "com", "cn", "net"),
    )
    shown = make.pick(
        f"{local}@{host}.{tld}", f"{local} @ {host}.{tld}", f"{local}艾特{host}点{tld}", f"{local}@{host}点{tld}", f"{local} at {host} dot {tld}", f"{local}(at){host}.{tld}", f"{local}[at]{host}[dot]{tld}",
        f"{local}＠{host}．{tld}", f"{local}@{host}。{tld}", f"{local} 艾特 {host} 点 {tld}", f"{local}＠{host}.{tld}", f"{local}@{host} . {tld}", f"{local}（at）{host}.{tld}", f"{local}%40{host}.{tld}", f"{local}圈a{host}点{tld}", f"{local}#{host}.{tld}" if host in ("qq", "163") else f"{local}@{host}.{tld}",
    )  # fmt: skip
    return make.pick("邮箱{}", "发票发到邮箱：{} 谢谢", "邮箱是{}，发一下").format(shown), local


def wechat(make: Maker) -> Case:
    name = make.pick("wxid_", "zhang", "lili_", "abc-", "Sunny", "kk") + make.digits(make.random.randint(3, 6))
    name = make.pick(name, name, "xiaolizi", "sunshine_girl", "happymama")
    return make.pick(
        "加我微信{}",
        "微信号：{}",
        "我的vx是{}",
        "VX:{}",
        "V信 {}",
        "wx：{}",
        "微信 {} 备注姓名",
        "加v {}",
        "微信搜{}",
        "威信{}",
        "我微信是 {}",
        "加个微信吧，{}",
        "{}是我微信",
        "薇信号{}",
        "微信号是：{}，加一下",
        "可以加我WX{}吗",
        "wechat: {}",
        "微信同号{}",
    ).format(name), name


def qq(make: Maker) -> Case:
    number = make.digits(make.random.randint(6, 10), "123456789")
    return make.pick(
        "QQ{}",
        "qq：{}",
        "加Q {}",
        "我的QQ号是{}",
        "扣扣{}",
        "企鹅号{}",
        "QQ号码：{}",
        "Q:{}",
        "加我QQ，{}",
        "qq {}",
        "{}是我QQ",
        "球球{}",
        "扣扣号是{}",
        "q号{}",
    ).format(number), number


def order(make: Maker) -> Case:
    value = make.pick(
        make.digits(12, "123456789"),
        make.digits(18, "123"),
        f"A{make.digits(9)}B{make.digits(3)}",
        f"{make.digits(4)}-{make.digits(6)}",
        make.digits(7, "123456789"),
    )
    return make.pick(
        "订单号：{}",
        "订单号{}",
        "订单编号:{}帮我看下",
        "我的单号是{}",
        "订单号为 {} 的",
        "order_id={}",
        "退款单号{}",
        "工单号：{}",
        "订单编号是{}",
        "订单号 {} 还没发货",
        "流水号{}",
        "交易单号：{}",
    ).format(value), value


def parcel(make: Maker) -> Case:
    value = make.pick(
        f"SF{make.digits(13)}",
        f"YT{make.digits(13)}",
        f"JD{make.digits(13)}",
        f"JDVA{make.digits(11)}",
        f"JT{make.digits(13)}",
        make.digits(14, "34579"),
        f"EA{make.digits(9)}CN",
        f"ZTO{make.digits(12)}",
        f"DPK{make.digits(12)}",
    )
    return make.pick(
        "运单号{}", "快递单号：{}", "{}到哪了", "物流单号 {}", "帮查一下{}", "快递{}一直不动", "单号{}", "运单{}"
    ).format(value), value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").removesuffix("CN")


def plate(make: Maker) -> Case:
    body = make.pick(
        f"{make.pick('A', 'B', 'C', 'D')}{make.digits(5)}",
        f"A{make.pick('D', 'F')}{make.digits(5)}",
        f"B{make.digits(2)}K{make.digits(2)}",
        f"A·{make.digits(5)}",
        f"C {make.pick('K', 'M')}{make.digits(4)}",
    )
    value = make.pick("京", "沪", "粤", "浙", "苏", "川", "鄂", "新") + body
    return make.pick("车牌{}", "车牌号：{}", "我的车是{}", "{}停门口", "开{}来提货").format(value), value


def passport(make: Maker) -> Case:
    value = make.pick("E", "G", "EA", "EJ") + make.digits(8)
    value = value[:9]
    return make.pick(
        "护照号{}", "护照：{}", "护照号码是 {}", "passport no. {}", "清关用护照{}", "港澳通行证C{}", "护照{}可以实名吗"
    ).format(value), value


def ip(make: Maker) -> Case:
    n = make.random.randint
    value = make.pick(
        f"{n(11, 223)}.{n(0, 255)}.{n(0, 255)}.{n(1, 254)}",
        f"192.168.{n(0, 9)}.{n(2, 254)}",
        f"2001:db8:{n(1000, 9999)}::{n(1, 99)}",
        f"fe80::{n(1000, 9999)}:{n(1000, 9999)}:abcd:{n(1, 99)}",
        f"2408:8{n(100, 999)}:{n(1000, 9999)}:1:2:3:4:{n(1, 99)}",
        f"10.0.{n(0, 9)}.{n(1, 9)}",
    )
    return make.pick("登录IP是{}", "ip：{}", "异地登录 IP地址{}", "路由器IP {}", "我的ip {} 被封了").format(
        value
    ), value


def code(make: Maker) -> Case:
    value = make.pick(make.digits(6), make.digits(4))
    return make.pick(
        "验证码{}", "验证码是{}", "校验码：{}", "收到的验证码 {}", "动态码{}", "{}是我的验证码", "验证码：{}，帮我登录"
    ).format(value), value


def spoken_code(make: Maker) -> Case:
    value = make.digits(6).translate(CHINESE)
    return make.pick("验证码{}", "验证码是{}", "取件码：{}").format(value), value


def pick_up(make: Maker) -> Case:
    n = make.random.randint
    value = make.pick(
        f"{n(1, 30)}-{n(1, 9)}-{n(1000, 9999)}",
        make.digits(6),
        make.digits(8),
        f"{n(1, 9)}-{n(1000, 9999)}",
        f"A{n(1, 9)}-{n(1, 9)}-{n(100, 999)}",
        f"A{make.digits(5)}",
    )
    return make.pick(
        "取件码{}", "取件码是{}", "取货码：{}", "凭取件码 {} 取", "提货码{}", "自提码：{}", "取件号 {}"
    ).format(value), value


def id_number(make: Maker) -> Case:
    value = id_card(make, old=make.random.random() < 0.2)
    if value.endswith("X"):
        value = value[:-1] + make.pick("X", "x", "Ｘ")
    shown = make.pick(
        value,
        value,
        make.grouped(value, (6, 8, 4), make.pick(" ", "-", "")),
        value.translate(FULL_WIDTH),
        f"{value[:6]} {value[6:]}",
    )
    return make.pick("身份证{}", "身份证号：{}", "{}", "实名 {} 认证", "证件号码{}").format(shown), shown


def card(make: Maker) -> Case:
    value = bank_card(make)
    shown = make.pick(value, make.grouped(value, (4, 4, 4, 4), make.pick(" ", "-")), value.translate(FULL_WIDTH))
    return make.pick("卡号{}", "退到银行卡{}", "{}", "工行 {} 户名本人", "银行卡号：{}").format(shown), shown


def name(make: Maker) -> Case:
    value = make.name()
    phone = "1" + make.digits(10, "3578")
    return make.pick(
        "收件人{}", "收件人：{}", "我叫{}", "我叫{}，想查一下订单", "姓名：{} 电话{p}", "姓名{}", "联系人：{}，{p}", "联系人是{}", "{}先生", "麻烦联系{}女士", "收货人 {} {p}", "收货人姓名{}", "我是{}，昨天下的单", "名字是{}", "{} {p}", "{}，{p}", "{p} {}", "收件人改成{}",
        "寄件人：{}", "持卡人{}", "户名：{}", "我叫{}想退货", "我叫{}电话{p}", "请问是{}女士吗", "收件人{}电话{p}", "收件人:{}手机:{p}", "本人{}，身份证丢了", "{}收", "{}（收）{p}", "退款给{}先生", "订单是{}小姐的", "联系人{}的电话是{p}", "真实姓名:{}", "开户名 {}", "我的名字叫{}", "收货人：{}，地址错了", "名字写{}",
    ).format(value, p=phone), value  # fmt: skip


def surname_title(make: Maker) -> Case:
    value = make.random.choice("王李张刘陈杨赵吴周徐孙胡朱林郭罗梁宋郑谢韩唐冯邓曹彭曾萧蔡潘高何方")
    title = make.pick("先生", "女士", "小姐")
    return make.pick("{}你好", "我是{}", "联系{}", "尊敬的{}", "免贵姓{}", "{}，您的快递到了").format(
        value + title
    ), value + title


def address(make: Maker) -> Case:
    value = make.address()
    phone = "1" + make.digits(10, "3578")
    shown = make.pick(
        "地址：{}", "收货地址是{}", "寄到{}", "我住在{}", "{}", "改成{}", "地址改为{}，谢谢", "麻烦送到{}吧", "{n} {p} {}", "{n}，{p}，{}", "收件人：{n}\n电话：{p}\n地址：{}", "{} {n} {p}", "{}，{n}收", "地址{}", "我在{}，能送吗", "发到{}可以吗", "我家在{}", "收货地址错了，应该是{}", "新地址：{}。", "从{}寄出",
    ).format(value, n=make.name(), p=phone)  # fmt: skip
    return shown, value


KINDS: dict[str, Callable[[Maker], Case]] = {
    "mobile": mobile, "landline": landline, "foreign": foreign, "ID card": id_number, "bank card": card, "e-mail": email, "WeChat": wechat, "QQ": qq, "order": order, "parcel": parcel,
    "plate": plate, "passport": passport, "IP": ip, "sign-in code": code, "spoken code": spoken_code, "pick-up code": pick_up, "name": name, "surname and title": surname_title, "address": address,
}  # fmt: skip


def look_alikes(make: Maker) -> Iterator[str]:
    """Texts with numbers and words that resemble personal data and are none."""
    n = make.random.randint
    price = n(10, 9999)
    yield from (
        f"{price}（{price + 200}-200）", f"{n(1000, 1999)} {n(1000, 2400)} {n(100, 900)}mm", f"{price}元", f"¥{price}.00", f"原价{price}现价{price - 5}", f"{n(1, 9)}.{n(0, 20)}.{n(0, 30)}版本", f"版本{n(5, 9)}.{n(0, 9)}.{n(10, 40)}.{n(10, 99)}", f"2026-{n(1, 12):02}-{n(1, 28):02} {n(0, 23):02}:{n(10, 59)}:{n(10, 59)}",
        f"型号X{n(100, 999)}-{n(10, 99)}", f"商品编号：{make.digits(12, '1')}", f"sku {make.digits(12, '1')}", f"{n(100, 200)}*{n(100, 200)}*{n(1, 90)}cm", f"{n(10, 40)}号到货", f"{n(1, 12)}月{n(1, 28)}号发货", f"{n(36, 45)}号鞋", f"{n(5, 20)}000mAh", f"满{n(1, 9)}00减{n(1, 9)}0", f"10{n(0, 99):02}积分", f"订单{n(1, 9)}件",
        "订单号在哪里看", "地址能改吗", "收货地址填错了怎么改", "联系人方式怎么改", "姓名写错了怎么办", "验证码收不到", "验证码6位数", "取件码没有收到", "微信支付可以吗", "用微信扫码", "微信小程序里下单", "QQ音乐会员", "北京发货吗", "上海市浦东新区能当天到吗", "发到广东省要几天", "江苏浙江上海包邮", "女士款手表", "先生你好", "男士女士都能用", "任何先生女士都可以",
        "关于女士包包的尺码", "我是会员", "我是黄金会员", "我是马上要用", "我叫了快递", "收件人电话不对", "收件人不在家", "本人签收", "客服热线95338", "拨打12315投诉", "客服电话400-820-8820", "4008208820", "打10086", "快递放门口", "3号楼快递柜满了", "1号仓发货", "2号线地铁", "一楼二楼都能送吗", "三室一厅用多大的", "路由器密码忘了", "密码锁怎么设", "一二三四五六七八九十", "一五一十说清楚", "一个两个三个四个五个六个七个",
        f"{n(1, 9)}期免息", f"华为Mate{n(20, 70)}", f"iPhone {n(11, 17)} Pro Max {n(1, 9) * 128}GB", f"GTX{n(1000, 4090)}", f"RTX{n(3050, 5090)}显卡", f"i7-{n(10000, 14999)}", "WPA2-PSK", f"USB3.{n(0, 2)}", f"{n(220, 240)}V{n(50, 60)}Hz", f"{n(1, 4)}.{n(1, 9)}米", f"{n(1300, 1900)} {n(1000, 2500)} {n(1000, 2500)} 这三个价格", f"条码{make.digits(13, '6')}", f"{n(10, 99)}%", f"{n(1, 23)}点{n(10, 59)}分", f"{n(2019, 2026)}年款", f"第{n(1, 99)}期", "谢谢老板", "谢谢老师", "高先生款", "老师傅手艺", "小姐姐好看",
        "马上到家", "明天上午送到", "小区门口取", "放在驿站", "公司楼下超市", "电路问题", "知道了", "这条路堵车", "城市套路深", "一路走好", "市场价多少", "区别是什么", "哪个地区", "县里能送吗", "镇上可以自提吗", "村里不派送", "楼上楼下", "单元门锁了", "室内用的", "几号楼", "门牌号没写", "http://example.com/help", "https://item.shop.com/100012043978.html", "0.1234567890123", "3.14159265358979", f"浏览{make.digits(10, '1')}次", "支持5G/4G/3G", "24小时内", "365天质保", "CPU i5 12400F 16+512", "1080P 60Hz", "2560*1440", "S码M码L码XL", "95A文胸", "A4纸500张", "B5笔记本", "N95口罩", "SF顺丰包邮", "YT圆通", "京东自营", "新品上市", "云南白药", "川味火锅", "贵州茅台53度500ml", "晋级赛", "粤语", "闽南语", "苏打水330ml*24", "E12电池", "G502鼠标", "K380键盘",
    )  # fmt: skip
