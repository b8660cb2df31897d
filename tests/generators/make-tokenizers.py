# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes tests/data/tokenizers: tiny vocabularies of every kind, texts, and their ids by plain loops.

Usage: python3 make-tokenizers.py   (run by hand when a kind is added; the same files come out every time)

The reference here shares nothing with the engine: words are cut by Python's re with the field's own expressions, on a
copy of the text in which each character above ASCII stands for its class; merging looks through all pairs again and again.
"""
import os
import random
import re
import struct
import unicodedata

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "tokenizers")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
SPACES = {*range(0x9, 0xE), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}

# ---- words ----

# Classes of characters above ASCII, each as one character of the private area.
CLASS = {"L": "\ue000", "N": "\ue001", "P": "\ue002", "M": "\ue003", "S": "\ue004"}
SETS = {
    r"\p{L}": "A-Za-z\ue000",
    r"\p{N}": "0-9\ue001",
    r"\p{P}": r"!-#%-*,-/:;?@\[-\]_{}" + "\ue002",
    r"\p{M}": "\ue003",
    r"\p{S}": r"$+<->^`|~" + "\ue004",
    r"\s": r" \t\n\v\f\r",
}


def collapse(text):
    def one(c):
        if ord(c) < 128:
            return c
        if ord(c) in SPACES:
            return "\v"
        return CLASS.get(unicodedata.category(c)[0], "\ue005")
    return "".join(one(c) for c in text)


def expand(expression):
    """The classes as sets that re knows; inside of brackets without brackets of their own."""
    result, inside, i = "", False, 0
    while i < len(expression):
        for name, members in SETS.items():
            if expression.startswith(name, i):
                result += members if inside else "[" + members + "]"
                i += len(name)
                break
        else:
            if expression.startswith(r"\S", i):
                result += "[^" + SETS[r"\s"] + "]"
                i += 2
                continue
            if expression[i] == "\\":
                result += expression[i:i + 2]
                i += 2
                continue
            inside = True if expression[i] == "[" else False if expression[i] == "]" else inside
            result += expression[i]
            i += 1
    return re.compile(result)


def hide_spaces(text):
    return "".join("\v" if ord(c) in SPACES and ord(c) >= 128 else c for c in text)


GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
ANY_CASE = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
LLAMA3 = (ANY_CASE + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = (ANY_CASE + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+"
          r"|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*|\p{N}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
GPT4O = (r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+" + ANY_CASE + "?"
         r"|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*" + ANY_CASE + "?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
             r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CASED_RANGES = [
    (0x41, 0x5A), (0x61, 0x7A), (0xB5, 0xB5), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x1BA), (0x1BC, 0x1BF), (0x1C4,
    0x293), (0x295, 0x2AF), (0x370, 0x373), (0x376, 0x377), (0x37B, 0x37D), (0x37F, 0x37F), (0x386, 0x386),
    (0x388, 0x38A), (0x38C, 0x38C), (0x38E, 0x3A1), (0x3A3, 0x3F5), (0x3F7, 0x481), (0x48A, 0x52F), (0x531,
    0x556), (0x10A0, 0x10C5), (0x13A0, 0x13F5), (0x13F8, 0x13FD), (0x1C90, 0x1CBA), (0x1CBD, 0x1CBF), (0x1D00,
    0x1D2B), (0x1D6B, 0x1D77), (0x1D79, 0x1D9A), (0x1E00, 0x1F15), (0x1F18, 0x1F1D), (0x1F20, 0x1F45), (0x1F48,
    0x1F4D), (0x1F50, 0x1F57), (0x1F59, 0x1F59), (0x1F5B, 0x1F5B), (0x1F5D, 0x1F5D), (0x1F5F, 0x1F7D), (0x1F80,
    0x1FB4), (0x1FB6, 0x1FBC), (0x1FBE, 0x1FBE), (0x1FC2, 0x1FC4), (0x1FC6, 0x1FCC), (0x1FD0, 0x1FD3), (0x1FD6,
    0x1FDB), (0x1FE0, 0x1FEC), (0x1FF2, 0x1FF4), (0x1FF6, 0x1FFC), (0x2102, 0x2102), (0x2107, 0x2107), (0x210A,
    0x2113), (0x2115, 0x2115), (0x2119, 0x211D), (0x2124, 0x2124), (0x2126, 0x2126), (0x2128, 0x2128), (0x212A,
    0x212D), (0x212F, 0x2134), (0x2139, 0x2139), (0x213C, 0x213F), (0x2145, 0x2149), (0x214E, 0x214E), (0x2183,
    0x2184), (0x2C00, 0x2C7B), (0x2C7E, 0x2CE4), (0x2CEB, 0x2CEE), (0x2CF2, 0x2CF3), (0xA640, 0xA66D), (0xA680,
    0xA69B), (0xA722, 0xA76F), (0xA771, 0xA787), (0xA78B, 0xA78E), (0xAB70, 0xABBF), (0xFB00, 0xFB06), (0xFB13,
    0xFB17), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A), (0x10400, 0x1044F), (0x104B0, 0x104D3), (0x104D8, 0x104FB),
    (0x10C80, 0x10CB2), (0x10CC0, 0x10CF2), (0x118A0, 0x118DF), (0x1E900, 0x1E943),
]
CASED = "".join("%c-%c" % both for both in CASED_RANGES)
BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"
# Each: expressions, and whether they look at classes or at the characters themselves.
PRE = {
    "default": [(r"[\p{P}\$\+<=>\^~\|]+", 1), (GPT2, 1), (r"\p{N}+", 1), ("[0-9][0-9][0-9]", 0)],
    "gpt-2": [(GPT2, 1)],
    "starcoder": [(r"\p{N}", 1), (GPT2, 1)],
    "llama-bpe": [(LLAMA3, 1)],
    "qwen2": [(QWEN2, 1)],
    "qwen35": [(QWEN35, 1)],
    "tekken": [(TEKKEN, 1)],
    "gpt-4o": [(GPT4O, 1)],
    "deepseek-llm": [("[\r\n]", 0), (r"\s?[" + CASED + "]+", 0), ("\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", 0), (r"\s+\Z", 0),
                     ("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", 0), (r"\p{N}+", 1)],
    "deepseek-coder": [("[\r\n]", 0), (r"\s?\p{L}+", 1), (r"\s?\p{P}+", 1), ("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", 0), (r"\p{N}", 1)],
    "deepseek-v3": [(r"\p{N}{1,3}", 1), ("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", 0), (DEEPSEEK3, 1)],
    "falcon": [(r"[\p{P}\$\+<=>\^~\|`]+", 1), (GPT2, 1), ("[0-9][0-9][0-9]", 0)],
    "bloom": [(BLOOM, 0)],
    "viking": [(BLOOM, 0), (r"\p{N}", 1)],
}


def split(words, expression, classes):
    spaces = SETS[r"\s"] if "[^(" in expression else "[" + SETS[r"\s"] + "]"
    pattern = expand(expression) if classes else re.compile(expression.replace(r"\s", spaces))
    result = []
    for word in words:
        image = collapse(word) if classes else hide_spaces(word)
        place = 0
        for match in pattern.finditer(image):
            if match.end() == match.start():
                continue
            if match.start() > place:
                result.append(word[place:match.start()])
            result.append(word[match.start():match.end()])
            place = match.end()
        if place < len(word):
            result.append(word[place:])
    return result


def words_of(text, pre):
    words = [text]
    for expression, classes in PRE[pre]:
        words = split(words, expression, classes)
    return [word for word in words if word]


# ---- byte-level BPE ----

def alphabet():
    codes, following = [], 0x100
    for byte in range(256):
        if 0x21 <= byte <= 0x7E or 0xA1 <= byte <= 0xFF and byte != 0xAD:
            codes.append(chr(byte))
        else:
            codes.append(chr(following))
            following += 1
    return codes


LETTERS = alphabet()


def encode_letters(text):
    return [LETTERS[byte] for byte in text.encode()]


def merge_at(symbols, place):
    symbols[place:place + 2] = [symbols[place] + symbols[place + 1]]


def train(texts, n_merges):
    """Merges over whole texts, words or not: so that a wrong cut shows in the ids."""
    merges, sequences = [], [encode_letters(text) for text in texts]
    while len(merges) < n_merges:
        counts = {}
        for sequence in sequences:
            for pair in zip(sequence, sequence[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        for sequence in sequences:
            i = 0
            while i + 1 < len(sequence):
                if (sequence[i], sequence[i + 1]) == best:
                    merge_at(sequence, i)
                i += 1
    return merges


def bpe_ids(text, pre, ids, ranks, ignore_merges):
    result = []
    for word in words_of(text, pre):
        symbols = encode_letters(word)
        if ignore_merges and "".join(symbols) in ids:
            symbols = ["".join(symbols)]
        while True:
            pairs = [(ranks[pair], i) for i, pair in enumerate(zip(symbols, symbols[1:])) if pair in ranks]
            if not pairs:
                break
            merge_at(symbols, min(pairs)[1])
        result += [ids[symbol] for symbol in symbols]
    return result


# ---- SentencePiece ----

def spm_ids(text, ids, scores, prefix):
    symbols = list((" " if prefix else "") + text) if text else []
    symbols = ["▁" if c == " " else c for c in symbols]
    while True:
        pairs = [(-scores[a + b], i) for i, (a, b) in enumerate(zip(symbols, symbols[1:])) if a + b in ids]
        if not pairs:
            break
        merge_at(symbols, min(pairs)[1])
    result = []
    for symbol in symbols:
        result += [ids[symbol]] if symbol in ids else [ids["<0x%02X>" % byte] for byte in symbol.encode()]
    return result


# ---- WordPiece ----

def is_chinese(code):
    return any(low <= code <= high for low, high in (
        (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF),
        (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)))


def wpm_words(text, lower):
    words = [""]
    for c in text:
        if lower:
            c = unicodedata.normalize("NFD", c)[0]
        category = unicodedata.category(c)[0]
        if ord(c) in SPACES:
            words.append("")
            continue
        if ord(c) == 0xFFFD or category == "C" and unicodedata.category(c) != "Cn" or lower and category == "M":
            continue
        image = c.lower() if lower and len(c.lower()) == 1 else c
        if category == "P" or ord(c) < 0x7F and category == "S" or is_chinese(ord(c)):
            words += [image, ""]
        else:
            words[-1] += image
    return [word for word in words if word]


def wpm_ids(text, ids, lower):
    result = []
    for word in wpm_words(text, lower):
        rest, found = "▁" + word, []
        while rest:
            n = next((n for n in range(len(rest), 0, -1) if rest[:n] in ids), 0)
            if n == 0:
                found = [ids["[UNK]"]]
                break
            found.append(ids[rest[:n]])
            rest = rest[n:]
        result += found
    return result


# ---- files ----

def gguf_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_value(value):
    if isinstance(value, bool):
        return struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + gguf_string(value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(gguf_string(item) for item in value)
    if isinstance(value[0], float):
        return struct.pack("<IIQ", 9, 6, len(value)) + struct.pack("<%df" % len(value), *value)
    return struct.pack("<IIQ", 9, 5, len(value)) + struct.pack("<%di" % len(value), *value)


def write_vocab(name, keys):
    keys = {"general.architecture": "llama", **{"tokenizer.ggml." + key: value for key, value in keys.items()}}
    with open(os.path.join(FOLDER, name + ".gguf"), "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)))
        for key, value in keys.items():
            file.write(gguf_string(key) + gguf_value(value))
        file.write(b"\0" * (-file.tell() % 32))


def write_ids(name, texts, ids_of):
    with open(os.path.join(FOLDER, name + ".ids"), "w", encoding="ascii") as file:
        for text in texts:
            file.write(" ".join(str(i) for i in ids_of(text)) + "\n")


PIECES = ["the", "The", "THE", "over", "IN", "don't", "I'll", "'S", "'re", "we've", "x", "é", "Éa", "naïve", "straße", "ÄÖ",
          "привет", "мир", "Ω", "世界", "你好", "カタ", "ひら", "한국", "สวัส", "नमस्ते", "e\u0301", "\u0301", "12", "1234567", "٣٤", "Ⅷ", "½",
          "0x1F", "3.14", "!", "?!", "...", "(", ")", "$5", "=>", "`a`", "€", "«", "»", "、", "。", "！", "a_b", "/", "a/b", "://",
          "🙂", "👩‍👩‍👧", "\u200d", "\u00a0", "\u3000", "\u2028", "\x01", "\x7f", "\ufeff", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t",
          " \n ", "▁", "İ", "ǅ", "ﬁ", "\u212a", "<s>", "</s>", "<0x41>", "[CLS]", "aAéB", "AéBB", "ABc", "abCD"]


def make_texts():
    random.seed(20260923)
    texts = ["", " ", "a", "Hello world", " Hello  world ", "\n", "  \n\n  x", "1", "12345678", "''", "it's we'LL 'x"]
    for _ in range(85):
        texts.append("".join(random.choice(PIECES) + random.choice(["", "", " ", " ", "  ", "\n"])
                             for _ in range(random.randint(1, 12))))
    return texts


def make_bpe(texts):
    merges = train(texts, 220)
    special = ["<|begin|>", "<|end_of_text|>", "<|user|>"]
    tokens = LETTERS + sorted({a + b for a, b in merges}) + special
    ids = {token: i for i, token in enumerate(tokens)}
    # a text that everyone knows as a control token is none that plain text can grow into
    ranks = {pair: rank for rank, pair in enumerate(merges) if "".join(pair) != "</s>"}
    for pre in PRE:
        write_vocab("bpe-" + pre, {
            "model": "gpt2", "pre": pre, "tokens": tokens, "merges": [a + " " + b for a, b in merges],
            "token_type": [NORMAL] * (len(tokens) - len(special)) + [CONTROL] * len(special),
            "bos_token_id": ids["<|begin|>"], "eos_token_id": ids["<|end_of_text|>"]})
        write_ids("bpe-" + pre, texts, lambda text: bpe_ids(text, pre, ids, ranks, pre in ("llama-bpe", "tekken")))


def make_spm(texts):
    counts = {}
    for text in texts:
        marked = ("▁" + text).replace(" ", "▁")
        for n in range(1, 6):
            for i in range(len(marked) - n + 1):
                part = marked[i:i + n]
                # real vocabularies have no word that goes on behind a space
                if "▁" not in part.lstrip("▁"):
                    counts[part] = counts.get(part, 0) + 1
    special = ["<unk>", "<s>", "</s>", "<|user|>"]
    common = sorted(counts, key=lambda part: (-counts[part] * len(part), part))[:400]
    tokens = special + ["<0x%02X>" % byte for byte in range(256)] + [part for part in common if part not in special]
    scores = [0.0] * 260 + [-float(i // 2) for i in range(len(tokens) - 260)]
    types = [UNKNOWN] + [CONTROL] * 3 + [BYTE] * 256 + [NORMAL] * (len(tokens) - 260)
    ids = {token: i for i, token in enumerate(tokens) if types[i] in (NORMAL, BYTE)}
    text_ids = {token: i for token, i in ids.items() if types[i] == NORMAL}
    by_text = {token: scores[i] for token, i in text_ids.items()}

    class Both(dict):
        """Merges see the texts, the fallback the bytes."""
        def __contains__(self, key):
            return key in text_ids

    for name, prefix in (("spm", True), ("spm-no-prefix", False)):
        write_vocab(name, {"model": "llama", "tokens": tokens, "scores": scores, "token_type": types, "bos_token_id": 1,
                           "eos_token_id": 2, "unknown_token_id": 0, "add_space_prefix": prefix})
        write_ids(name, texts, lambda text: spm_ids(text, Both(ids), by_text, prefix))


def make_wpm(texts):
    counts = {}
    for text in texts:
        for word in wpm_words(text, True) + wpm_words(text, False):
            marked = "▁" + word
            for i in range(len(marked)):
                for n in range(1, 6):
                    if i + n <= len(marked):
                        counts[marked[i:i + n]] = counts.get(marked[i:i + n], 0) + 1
    counts.pop("▁", None)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokens = special + sorted(counts, key=lambda part: (-counts[part] * len(part), part))[:350]
    ids = {token: i for i, token in enumerate(tokens)}
    for name, lower in (("wpm", True), ("wpm-cased", False)):
        write_vocab(name, {"model": "bert", "tokens": tokens, "token_type": [CONTROL] * 4 + [NORMAL] * (len(tokens) - 4),
                           "unknown_token_id": 1, "cls_token_id": 2, "seperator_token_id": 3,
                           "normalizer.lowercase": lower})
        write_ids(name, texts, lambda text: wpm_ids(text, ids, lower))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    texts = make_texts()
    with open(os.path.join(FOLDER, "texts.txt"), "wb") as file:
        file.write(b"\0".join(text.encode() for text in texts))
    make_bpe(texts)
    make_spm(texts)
    make_wpm(texts)


main()
