"""The codes and words by which services say what is wrong with a call."""

import re
from typing import Final

UNPAID_CODES: Final = frozenset(
    {
        "insufficient_quota",
        "insufficient_balance",
        "insufficient_user_quota",
        "exceeded_current_quota_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "account_overdue",
        "account_arrears",
        "accountoverdue",
        "accountoverdueerror",
        "arrearage",
        "daily_limit_exceeded",
        "total_limit_exceeded",
    }
)

UNPAID_WORDS: Final = ("overdue", "arrears", "arrearage", "unpaid", "balance", "billing", "欠费", "余额")

CREDENTIAL_CODES: Final = frozenset(
    {"invalid_iam_token", "invalid_api_key", "invalid_appid", "invalidapikey", "authentication_error"}
)

UNSAFE_CODES: Final = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "content_exists_risk",
        "data_inspection_failed",
        "datainspectionfailed",
        "system_unsafe",
        "user_unsafe",
        "censorship_blocked",
        "sensitive",
    }
)

UNSAFE_WORDS: Final = (
    "content_filter",
    "content_policy",
    "contentpolicy",
    "audit failed",
    "审核不通过",
    "content exists risk",
    "inappropriate content",
    "unsafe",
    "sensitive",
    "敏感",
    "不安全",
    "违规",
)

MISSING_CODES: Final = frozenset({"invalid_model", "model_not_found", "no_such_model"})

# Of a moderation in front of the model.
FLAGGED_WORDS: Final = ("flagged", "moderation", "usage policy", "usage policies")

# Of a limit on calls, where no code says it.
RATE_WORDS: Final = (
    "rate limit",
    "rate_limit",
    "too many requests",
    "请求过于频繁",
    "请求频率",
    "限流",
    "(tpm)",
    "(rpm)",
    "conn limit",
    "qps request limit",
)

STATUS: Final = re.compile(r"[45]\d\d")

TOO_LONG: Final = (
    "context_length",
    "context length",
    "too long",
    "too large",
    "max length",
    "maximum",
    "exceed",
    "range of input length",
    "context size",
)

TOO_LONG_ZH: Final = ("过长", "超长", "超过", "超出", "长度")

QUOTA_CODES: Final = re.compile(
    r"(rpm|tpm|qps|qpm|rate)_(rate_)?limit(_exceeded|_reached)?(_error)?|rate_limit_error|resource_exhausted"
    r"|too_many_requests|throttling(\..+)?|limit_requests|request_limit_exceeded"
)

BUSY_CODES: Final = re.compile(r"(server|engine|model|service)?_?(is_)?(overloaded|busy|unavailable)(_error)?")

# Nothing more until somebody pays, or until a plan's span is over.
USED_UP: Final = re.compile(
    r"insufficient (?:account )?(?:balance|funds)|balance (?:is )?(?:insufficient|too low|not enough)"
    r"|credit balance is too low|used all (?:of )?(?:your )?(?:available )?credits|spending limit"
    r"|budget has been exceeded|budget_exceeded|exceeded ?(?:token)?budget"
    r"|free ?tier (?:of the model )?(?:has been exhausted|only)|freetieronly|free trial inference quota"
    r"|reached the set inference limit|call volume quota|欠费|余额不足|资源包余量已用尽|额度(?:不足|已用尽|已用完|失败)"
    r"|resourcepackexhausted|servicestoparrears|小时的?使用上限"
)

# Nothing more today or this month.
USED_UP_TODAY: Final = re.compile(
    r"(?:per|/) ?(?:day|month)\b|per[-_]?(?:day|month)|byday\b|daily (?:request|token|call|usage|quota|limit)"
    r"|\b(?:rpd|tpd)\b|today's quota|(?:今日|当日|当天|每日|本月|每月)[^,，。]{0,8}(?:上限|限制|超限|额度|访问量|次数)"
    r"|日流控超限|日调用量?超限"
)

# A limit on what is sent now, which waiting helps.
OF_MINUTES: Final = re.compile(
    r"per[-_ ]?(?:min|sec)|/ ?(?:min|sec)|byminute|每分钟|每秒|并发|(?<![a-z])(?:rpm|tpm|qps|qpm)(?![a-z])"
)

# DashScope calls its limit on tokens a minute by the code of an empty purse.
LIMIT_OF_TOKENS: Final = "error-code#token-limit"

NO_MODEL: Final = re.compile(
    r"model[^.,;]{0,60} (?:not exists?|does not exist|not found|not support)|模型不存在|不存在该?模型"
)

# Of a key, where a reply says so with a status of success.
NO_KEY: Final = re.compile(r"invalid api[-_ ]?key|login fail|token (?:has )?expired|api secret key")
