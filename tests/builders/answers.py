"""Keys of an answer's fields, as the prompt names them."""

KEYS = ("用户问题", "客服方案", "是否接受", "是否负面情绪")
