# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes unicode-tables.h: what the tokenisers need of Unicode 15.1, pinned so that ids never move with a library.

Usage: python3.13 unicode-tables.py > unicode-tables.h   (Python 3.13 carries Unicode 15.1; another version is refused)
"""
import sys
import unicodedata

VERSION = "15.1.0"
END = 0x110000
BLOCK = 64
CATEGORIES = {"Cn": 0, "N": 1, "L": 2, "Z": 3, "M": 4, "P": 5, "S": 6, "C": 7}
SPACE_BIT = 8
SPACES = {*range(0x9, 0xE), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}


def character_class(code):
    category = unicodedata.category(chr(code))
    value = CATEGORIES["Cn" if category == "Cn" else category[0]]
    return value | (SPACE_BIT if code in SPACES else 0)


def emit(name, kind, rows, per_line):
    print(f"\nstatic const {kind} {name}[] = {{")
    for start in range(0, len(rows), per_line):
        print("  " + ", ".join(rows[start:start + per_line]) + ",")
    print("};")


def emit_classes():
    blocks, index = {}, []
    for start in range(0, END, BLOCK):
        classes = [character_class(code) for code in range(start, start + BLOCK)]
        packed = tuple(classes[i] | classes[i + 1] << 4 for i in range(0, BLOCK, 2))
        index.append(blocks.setdefault(packed, len(blocks)))
    # all that follows the last change repeats one block
    while len(index) > 1 and index[-1] == index[-2]:
        index.pop()
    print(f"\n#define WLY_UNICODE_BLOCK {BLOCK}")
    print("/* Block of each run of code points; the last stands for all that follow. */")
    emit("unicode_block_index", "guint16", [str(i) for i in index], 48)
    print("\n/* Classes of a block, two to a byte, the lower one first: 0-2 category, 3 white space. */")
    emit("unicode_blocks", "guint8", [f"0x{byte:02x}" for block in blocks for byte in block], BLOCK)


def emit_ascii():
    print("\n/* Classes of ASCII, for the way that most text takes. */\nconst guint8 wly_unicode_ascii[128] = {")
    classes = [str(character_class(code)) for code in range(128)]
    for start in range(0, 128, 32):
        print("  " + ", ".join(classes[start:start + 32]) + ",")
    print("};")


def simple_lower(code):
    return code if 0xD800 <= code < 0xE000 else ord(chr(code).lower()[0])


def emit_lower():
    rows = []  # first, last, stride, difference
    for code in range(0x80, END):
        difference = simple_lower(code) - code
        if difference == 0:
            continue
        if rows and rows[-1][3] == difference:
            first, last, stride, _ = rows[-1]
            step = code - last
            if step <= 2 and (first == last or step == stride):
                rows[-1] = (first, code, step, difference)
                continue
        rows.append((code, code, 1, difference))
    print("\n/* Simple lower case above ASCII: every stride-th code point of a range moves by the difference. */")
    emit("unicode_lower", "WlyUnicodeLower", ["{ 0x%x, 0x%x, %d, %d }" % row for row in rows], 8)


def emit_base():
    rows = []  # first, last, base
    for code in range(END):
        base = ord(unicodedata.normalize("NFD", chr(code))[0])
        if base == code:
            continue
        if rows and rows[-1][1:] == (code - 1, base):
            rows[-1] = (rows[-1][0], code, base)
        else:
            rows.append((code, code, base))
    print("\n/* First code point of the canonical decomposition. */")
    emit("unicode_base", "WlyUnicodeBase", ["{ 0x%x, 0x%x, 0x%x }" % row for row in rows], 10)


def main():
    if unicodedata.unidata_version != VERSION:
        sys.exit(f"this Python knows Unicode {unicodedata.unidata_version}, {VERSION} is needed")
    print("/* SPDX-License-Identifier: LGPL-2.1-or-later")
    print(" *")
    print(f" * Unicode {VERSION}.  Written by unicode-tables.py; do not edit.")
    print(" */\n#pragma once\n\n/* clang-format off */")
    emit_ascii()
    emit_classes()
    emit_lower()
    emit_base()
    print("/* clang-format on */")


main()
