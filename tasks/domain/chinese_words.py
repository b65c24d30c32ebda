"""jieba's dictionary, read from the package alone."""

import jieba


def load_dictionary(tokenizer: jieba.Tokenizer) -> jieba.Tokenizer:
    """The tokenizer with its dictionary, half a second once.

    By itself jieba first reads `jieba.cache` in the system's temporary folder, whoever put it there: words, and with
    them reports and scores, could be changed by any account.
    """
    if not tokenizer.initialized:
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
        tokenizer.initialized = True
    return tokenizer
