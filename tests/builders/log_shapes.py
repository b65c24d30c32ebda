"""The same conversation in every log format."""

import json

from tasks.preparing.prompts import load_prompt

ASK = "羽绒服什么时候到货？"


TELL = "明天就到，您放心"


TURNS = [("user", ASK), ("agent", TELL)]


MESSAGES = [{"role": "user", "text": ASK, "time": "2026-11-22 08:01:02"}, {"role": "agent", "text": TELL}]


def lines(*values):
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()


def conversation(number, **more):
    return {"conversation_id": f"c{number}", "messages": MESSAGES, **more}


def message(conversation_id, role, text, **more):
    return {"conversation_id": conversation_id, "role": role, "text": text, **more}


SHAPES = {
    "jsonl-conversations": lines({"conversation_id": "c1", "started_at": "2026-11-22T00:01:02Z", "messages": MESSAGES}),
    "jsonl-messages": lines(message("c1", "user", ASK, time="2026/11/22 8:01:02"), message("c1", "agent", TELL)),
    "csv": f"会话ID,角色,内容,时间\nc1,顾客,{ASK},2026-11-22 08:01:02\nc1,客服,{TELL},\n".encode(),
    "tsv": f"session_id\tsender\ttime\tcontent\nc1\tbuyer\t1795305662\t{ASK}\nc1\tseller\t\t{TELL}\n".encode(),
    "jddc": f"c1\tU1\t0\t0\t0\tnan\t{ASK}\nc1\tU1\t1\t0\t0\tnan\t{TELL}\n".encode(),
    "jsonl-transcripts": lines({"id": "c1", "conversation": f"用户：{ASK}客服：{TELL}"}),
    "transcript": f"会话编号：c1\n用户：{ASK}\n客服：{TELL}\n".encode(),
    "jsonl-sft": lines([{"prompt": load_prompt("sft-v1").render(f"用户：{ASK}\n客服：{TELL}"), "response": [["{}"]]}]),
}
