# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes tests/data/tokenizers: tiny vocabularies of every kind, texts, and their ids by plain loops.

Usage: python3 make-tokenizers.py   (run by hand when a kind is added; the same files come out every time)

The reference here shares nothing with the engine: words are cut by Python's re with the field's own expressions, on a
copy of the text in which each character above ASCII stands for its class, or by Debian's python3-regex on the text itself;
merging looks through all pairs again and again.
"""
import os
import random
import re
import struct
import unicodedata

import regex

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "tokenizers")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
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


# ---- words by python3-regex ----

HAN = ("\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\U00020000-\\U0002a6df\\U0002a700-\\U0002b73f\\U0002b740-\\U0002b81f"
       "\\U0002b820-\\U0002ceaf\\U0002ceb0-\\U0002ebef\\U0002f800-\\U0002fa1f")
LEAD = r"[^\r\n\p{L}\p{N}]?"
OTHERS = r" ?[^\s\p{L}\p{N}]+"
SPACES_END = r"\s*[\r\n]+|\s+(?!\S)|\s+"
MARKED = LEAD + r"[\p{L}\p{M}]+" + ANY_CASE + "?|%s|" + OTHERS + r"[\r\n/]*|" + SPACES_END
LINES = r"[^\n]+|\n+"
QWEN2_TEXT = ANY_CASE + "|" + LEAD + r"\p{L}+|\p{N}|" + OTHERS + r"[\r\n]*|" + SPACES_END
# as llama.cpp cuts for the published \d{1,3}(?=(?:\d{3})*\b): what stands before a number stays with its first digits
THREES = r"[^\p{N}]*\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))"
MORE_PRE = {
    "jais-2": [ANY_CASE + "|" + LEAD + r"\p{L}+|\p{N}{1,3}|" + OTHERS + r"[\r\n]*|\s*[\r\n]+|"
               + "".join(r"\s{%d}(?!\S)|" % n for n in (512, 256, 128, 64, 32, 16, 8, 4)) + r"\s{1,2}(?!\S)|\s{1}"],
    "youtu": ["[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥\u3040-\u309f\u30a0-\u30ff]+", MARKED % r"\p{N}"],
    "chameleon": ["<sentinel:[0-9]+>", "(?:IMGIMG)(?:(?:A|B|C|D|E|F|G|H|I){1,4})Z", r"[\t\n]|    |  ", r"\p{N}",
                  r"[\p{P}!-/:-@\[-`{-~]", GPT2],
    "granite-embed-multi-97m": [LEAD + r"[[\p{L}\p{M}]--[a-z]]*[[\p{L}\p{M}]--[A-Z]]+" + ANY_CASE + "?|" + LEAD
                                + r"[[\p{L}\p{M}]--[a-z]]+[[\p{L}\p{M}]--[A-Z]]*" + ANY_CASE + r"?|\p{N}{1,3}|" + OTHERS
                                + r"[\r\n/]*|" + SPACES_END],
    "tiny_aya": [THREES, MARKED % r"\p{N}{1,3}"],
    "kimi-k2": ["[" + HAN + "]+|" + LEAD + r"[\p{L}--[" + HAN + "]]+" + ANY_CASE + r"?|\p{N}{1,3}|" + OTHERS + r"[\r\n]*|"
                + SPACES_END],
    "superbpe": [r"\p{N}+", r"(?=([0-9]{3})+(?![0-9]))"],
    "bailingmoe": [r"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|" + LEAD + r"\p{L}+|\p{N}|" + OTHERS
                   + r"[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"],
    "seed-coder": [ANY_CASE + "|" + LEAD + r"\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|" + SPACES_END],
    "afmoe": [THREES, "[一-鿿㐀-䶿\u8c48-\ufaff\u3040-\u309f\u30a0-\u30ff･-ﾟ\u2f00-\u2fdfเ-\u0e7f\u0e80-\u0effក-\u17ffက-\u109f"
              "\uaa60-\uaa7f\ua9e0-\ua9ff가-\ud7af\u1100-\u11ff]+",
              r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
              r"| ?[\p{P}\p{S}]+[\r\n]*|" + SPACES_END],
    "laguna": [LINES, QWEN2_TEXT],
    "exaone-moe": [ANY_CASE + "|" + LEAD + r"(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}|" + OTHERS
                   + r"[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"],
    "minicpm5": [r"\p{N}{1,3}", QWEN2_TEXT.replace(r"\p{N}|", r"\p{N}+|")],
}


def split_regex(words, expression):
    pattern, result = regex.compile(expression, flags=regex.V1), []
    for word in words:
        place = 0
        for match in pattern.finditer(word):
            result += [word[place:match.start()], match.group()]
            place = match.end()
        result.append(word[place:])
    return [word for word in result if word]


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
    for expression in MORE_PRE.get(pre, []):
        words = split_regex(words, expression)
    for expression, classes in PRE.get(pre, []):
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


def train_on(sequences, n_merges, wanted=lambda pair: True):
    merges = []
    while len(merges) < n_merges:
        counts = {}
        for sequence in sequences:
            for pair in filter(wanted, zip(sequence, sequence[1:])):
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


def train(texts, n_merges):
    """Merges over whole texts, words or not: so that a wrong cut shows in the ids."""
    return train_on([encode_letters(text) for text in texts], n_merges)


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


# ---- BPE over characters ----

def character_ids(text, pre, ids, ranks):
    """Gemma 4 and Sarvam mark spaces and cut at newlines; jina's for Chinese cuts at white space and drops it."""
    result = []
    if pre == "whitespace":
        words = "".join(" " if ord(c) in SPACES else c.lower()[0] for c in text).split(" ")
    else:
        words = re.findall("[^\n]+|\n+", text.replace(" ", "▁"))
    for word in words:
        symbols = [word] if pre == "gemma4" and word in ids and word.strip("\n") == "" and word else list(word)
        while True:
            pairs = [(ranks[pair], i) for i, pair in enumerate(zip(symbols, symbols[1:])) if pair in ranks]
            if not pairs:
                break
            merge_at(symbols, min(pairs)[1])
        for symbol in symbols:
            result += [ids[symbol]] if symbol in ids else [ids["<0x%02X>" % byte] for byte in symbol.encode()]
    return result


# ---- the unigram model ----

CHARSMAP = {"ﬁ": "fi", "\u00a0": " ", "\u3000": " ", "\u2028": " ", "Ⅷ": "VIII", "½": "1/2", "\x01": "", "\x7f": "", "\t": " ",
            "\n": " ", "\r": "", "カ": "か", "カタ": "KATA", "e\u0301": "é", "İ": "i", "AB": "ab", "ABc": "x y", "！": "!",
            "\u212a": "K", "…": "..."}


def make_charsmap(pairs):
    """A double array, filled first come, first served: see daemon/engine/token/charsmap.h."""
    replacements, places, children = b"", {}, {(): set()}
    for key, value in sorted(pairs.items()):
        places[tuple(key.encode())] = len(replacements)
        replacements += value.encode() + b"\0"
        path = ()
        for byte in key.encode():
            children.setdefault(path, set()).add(byte)
            path += (byte,)
    units, taken, bases, where = {}, {0}, set(), {(): 0}
    for path in sorted({path[:n] for path in places for n in range(len(path) + 1)}, key=len):
        index, labels = where[path], sorted(children.get(path, set()))
        # a node knows its byte but not its parent: no two parents may have one base
        base = next(base for base in range(1, 1 << 21)
                    if base not in bases and not any((base ^ label) in taken for label in labels + ([0] if path in places else [])))
        unit = (path[-1] if path else 0) | (index ^ base) << 10 | (0x100 if path in places else 0)
        units[index] = unit
        bases.add(base)
        if path in places:
            taken.add(base)
            units[base] = 0x80000000 | places[path]
        for label in labels:
            taken.add(base ^ label)
            where[path + (label,)] = base ^ label
    n_units = max(units) + 1
    # no child of anything: its label would be another's
    array = [units.get(i, 0x80000000) for i in range(n_units)]
    return struct.pack("<I", n_units * 4) + struct.pack("<%dI" % n_units, *array) + replacements


def ugm_normalise(text, charsmap, prefix, merge):
    chunks, place = "", 0
    while place < len(text):
        key = max((key for key in charsmap if text.startswith(key, place)), key=len, default="")
        chunks += charsmap[key] if key else text[place]
        place += len(key or text[place])
    if merge:
        return "".join("▁" + word for word in chunks.split(" ") if word)
    spaces = len(chunks) - len(chunks.lstrip(" "))
    if prefix and chunks.strip(" "):
        chunks = " " * (spaces + 1) + chunks.lstrip(" ")
    return chunks.replace(" ", "▁")


def ugm_ids(text, ids, scores, added, unknown):
    """Best sums from the left; of equal ones the longest last token."""
    least = min(scores.values()) - 10
    best = [(0.0, [])]
    for end in range(1, len(text) + 1):
        ways = [(best[start][0] + (0.0 if text[start:end] in added else scores[text[start:end]]),
                 best[start][1] + [ids[text[start:end]]]) for start in range(end) if text[start:end] in ids]
        if text[end - 1] not in ids:
            ways.append((best[end - 1][0] + least, best[end - 1][1] + [unknown]))
        best.append(max(ways, key=lambda way: way[0]))
    found = best[-1][1]
    return [i for n, i in enumerate(found) if not (i == unknown and n and found[n - 1] == unknown)]


# ---- RWKV and PLaMo-2 ----

def rwkv_ids(text, ids):
    data, result = text.encode(), []
    while data:
        n = max(n for n in range(1, len(data) + 1) if data[:n] in ids)
        result.append(ids[data[:n]])
        data = data[n:]
    return result


def plamo_ids(text, ids, scores, byte_ids):
    """Best sums from the right; of equal ones the longest token."""
    text = text[1:] if text.startswith("\ufeff") else text
    best = {len(text): (0, [])}
    for start in range(len(text) - 1, -1, -1):
        ways = [(best[end][0] + scores[text[start:end]], [ids[text[start:end]]] + best[end][1])
                for end in range(len(text), start, -1) if text[start:end] in ids]
        ways.append((best[start + 1][0] - 10000000, [byte_ids[byte] for byte in text[start].encode()] + best[start + 1][1]))
        best[start] = max(ways, key=lambda way: way[0])
    return best[0][1]


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
    if isinstance(value, bytes):
        return struct.pack("<IIQ", 9, 0, len(value)) + value
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


MORE_PIECES = ["<sentinel:12>", "<sentinel:>", "<sentinel:x", "IMGIMGABZ", "IMGIMGABCDEZ", "IMGIMGIMGIMGIZ", "IMGZ", "1234", "12345",
               "٣٤٥٦", "12٣456", "Ⅷ7", "한국어 말", "ㄱㄴ", "ㄅㄆㄇ", "，", "——", "“ok”", "﹏", "〽", "ไทยแลนด์", "ខ្មែរ", "မြန်မာ", "ｶﾅ", "⼀",
               "豈", "㐀", "𠀀", "世界's", "it's", "IT'S", "É's", "e\u0301'LL", "\u0301ABC", "\u0301Ab", "!\u0301", "A\u0301B", "ÀÉ", "aÉB",
               "hello world again", "x  y", "नमस्ते दुनिया", "!\n\n", "!/\n", "//", "?\r\n\r\n", "\n\n\n", "\n \n  ", "\t\t", "     ",
               " " * 9, " " * 33, "\u00a0\u00a0 ", "'", "''s", "Ꚁ", "ꞏ", "Yi ꀀ", "\ufeff"]


def make_more_texts():
    random.seed(20261125)
    texts = ["", " " * 700, "x" + " " * 513 + "y", " " * 512 + "1", " " * 511 + "\n" + " " * 130 + "1", "7" * 40, "a" + "1" * 10]
    for _ in range(110):
        texts.append("".join(random.choice(PIECES + 3 * MORE_PIECES) + random.choice(["", "", "", " ", "  ", "\n"])
                             for _ in range(random.randint(1, 10))))
    return texts


def make_more_bpe(texts):
    merges = train([text for text in texts if len(text) < 300], 320)
    special = ["<|begin|>", "<|end_of_text|>", "<|user|>"]
    tokens = LETTERS + sorted({a + b for a, b in merges}) + special
    ids = {token: i for i, token in enumerate(tokens)}
    ranks = {pair: rank for rank, pair in enumerate(merges) if "".join(pair) != "</s>"}
    for pre in MORE_PRE:
        write_vocab("bpe-" + pre, {
            "model": "gpt2", "pre": pre, "tokens": tokens, "merges": [a + " " + b for a, b in merges],
            "token_type": [NORMAL] * (len(tokens) - len(special)) + [CONTROL] * len(special),
            "bos_token_id": ids["<|begin|>"], "eos_token_id": ids["<|end_of_text|>"]})
        whole = pre in ("youtu", "granite-embed-multi-97m", "minicpm5")
        write_ids("bpe-" + pre, texts, lambda text: bpe_ids(text, pre, ids, ranks, whole))


def train_characters(texts, n_merges):
    sequences = [list(word) for text in texts for word in re.findall("[^\n]+|\n+", text.replace(" ", "▁"))]
    return train_on(sequences, n_merges, lambda pair: "\n" not in pair[0] + pair[1] and " " not in pair[0] + pair[1])


def make_character_bpe(texts):
    merges = train_characters([text for text in texts if len(text) < 300], 260)
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<|user|>"]
    characters = {c for pair in merges for part in pair for c in part} | set("▁\nabcdefghijklmnopqrstuvwxyz")
    tokens = special + ["<0x%02X>" % byte for byte in range(256)] + sorted(characters) + ["\n\n", "\n\n\n"]
    tokens += sorted({a + b for a, b in merges} - set(tokens))
    ids = {token: i for i, token in enumerate(tokens)}
    ranks = {pair: rank for rank, pair in enumerate(merges) if "".join(pair) not in ["</s>"] + tokens[:261]}
    types = [CONTROL] * 5 + [BYTE] * 256 + [NORMAL] * (len(tokens) - 261)
    for name, model, pre in (("gemma4", "gemma4", None), ("sarvam-moe", "gpt2", "sarvam-moe"), ("whitespace", "whitespace", "whitespace")):
        keys = {"model": model, "pre": pre, "tokens": tokens, "merges": [a + " " + b for a, b in merges], "token_type": types,
                "bos_token_id": 2, "eos_token_id": 1, "unknown_token_id": 3, "add_bos_token": False,
                "normalizer.lowercase": True if name == "whitespace" else None}
        write_vocab("characters-" + name, {key: value for key, value in keys.items() if value is not None})
        write_ids("characters-" + name, texts, lambda text: character_ids(text, name, ids, ranks))


def common_parts(texts, n_parts):
    counts = {}
    for text in texts:
        for n in range(1, 7):
            for i in range(len(text) - n + 1):
                part = text[i:i + n]
                counts[part] = counts.get(part, 0) + 1
    return sorted(counts, key=lambda part: (-counts[part] * len(part), part))[:n_parts]


def make_ugm(texts):
    added = {"IN", "a_b"}
    for name, charsmap, prefix, merge in (("ugm", CHARSMAP, True, True), ("ugm-plain", {}, False, False), ("ugm-prefix", {}, True, False)):
        def image_of(text):
            return ugm_normalise(text, charsmap, prefix, merge)

        images = [image_of(text) for text in texts]
        parts = [part for part in common_parts(images, 380) if part not in added and "</s>" not in part]
        special = ["<pad>", "</s>", "<unk>", "<|user|>"]
        tokens = special + sorted(added) + parts + ["unused"]
        types = [CONTROL, CONTROL, UNKNOWN, CONTROL] + [USER_DEFINED] * 2 + [NORMAL] * len(parts) + [UNUSED]
        # sums of these are exact, so that equal ones are equal
        scores = [0.0] * 6 + [-float(random.randint(64, 640)) / 64 - len(part) / 4 for part in parts] + [-4.0]
        ids = {token: i for i, token in enumerate(tokens) if types[i] in (NORMAL, USER_DEFINED, UNUSED)}
        normal = {token: scores[i] for token, i in ids.items() if types[i] == NORMAL}
        by_text = {token: scores[i] for token, i in ids.items()}
        least = min(normal.values())
        assert min(by_text.values()) == least
        keys = {"model": "t5", "tokens": tokens, "scores": scores, "token_type": types, "eos_token_id": 1, "unknown_token_id": 2,
                "padding_token_id": 0, "add_space_prefix": prefix, "remove_extra_whitespaces": merge}
        if charsmap:
            keys["precompiled_charsmap"] = make_charsmap(charsmap)
        write_vocab(name, keys)

        def ids_of(text):
            # added words part the text before all else
            return [i for part in re.split("(IN|a_b)", text) if part
                    for i in ([ids[part]] if part in added else ugm_ids(image_of(part), ids, by_text, added, 2))]

        write_ids(name, texts, ids_of)


def rwkv_escape(data):
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "".join("\\x%02x" % byte for byte in data)
    return "".join({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\", "'": "\\'"}.get(c) or (c if ord(c) >= 32 and ord(c) != 127 else "\\x%02x" % ord(c))
                   for c in text)


def make_rwkv(texts):
    tokens = [b"<s>"] + [bytes([byte]) for byte in range(256)]
    tokens += [part.encode() for part in common_parts(texts, 300) if len(part.encode()) > 1]
    tokens += ["世".encode()[:2], b"\xe0\xa4"]
    tokens = list(dict.fromkeys(tokens))
    ids = {token: i for i, token in enumerate(tokens) if i > 0}
    write_vocab("rwkv", {"model": "rwkv", "tokens": [rwkv_escape(token) for token in tokens],
                         "token_type": [CONTROL] + [NORMAL] * (len(tokens) - 1)})
    write_ids("rwkv", texts, lambda text: rwkv_ids(text, ids))


def make_plamo(texts):
    special = ["<|plamo:unk|>", "<|plamo:bos|>", "<|plamo:eos|>", "<|plamo:pad|>"]
    parts = common_parts(texts, 350)
    tokens = special + ["<0x%02X>" % byte for byte in range(256)] + [part for part in parts if not part.startswith("<0x")]
    types = [UNKNOWN] + [CONTROL] * 3 + [BYTE] * 256 + [NORMAL] * (len(tokens) - 260)
    steps = [0] * 260 + [-random.randint(10, 90) * 1000 for _ in tokens[260:]]
    ids = {token: i for i, token in enumerate(tokens) if i >= 260}
    write_vocab("plamo2", {"model": "plamo2", "tokens": tokens, "scores": [step / 10000 for step in steps], "token_type": types,
                           "bos_token_id": 1, "eos_token_id": 2, "unknown_token_id": 0, "padding_token_id": 3})
    write_ids("plamo2", texts, lambda text: plamo_ids(text, ids, {token: steps[i] for token, i in ids.items()}, list(range(4, 260))))


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


def write_texts(name, texts):
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(b"\0".join(text.encode() for text in texts))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    texts = make_texts()
    write_texts("texts.txt", texts)
    make_bpe(texts)
    make_spm(texts)
    make_wpm(texts)
    texts = make_more_texts()
    write_texts("texts-more.txt", texts)
    make_more_bpe(texts)
    make_character_bpe(texts)
    make_ugm(texts)
    make_rwkv(texts)
    make_plamo(texts)


main()
