#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes woolly-error-codes.h, the public enum, from introspection/woolly-errors.def."""
import re
import sys

ROW = re.compile(r'^WOOLLY_ERROR_ROW \((\w+),\s*"(\w+)",\s*"([^"]*)"\)$')


def main(source, target):
    rows = []
    for line in open(source, encoding='utf-8'):
        if line.startswith('WOOLLY_ERROR_ROW'):
            rows.append(ROW.match(line.strip()).groups())
    with open(target, 'w', encoding='utf-8') as out:
        out.write('/* SPDX-License-Identifier: LGPL-2.1-or-later\n *\n'
                  ' * Made from introspection/woolly-errors.def.\n */\n'
                  '#pragma once\n\n/**\n * WoollyError:\n')
        for suffix, _, meaning in rows:
            out.write(f' * @WOOLLY_ERROR_{suffix}: {meaning}\n')
        out.write(' *\n * What can go wrong. On D-Bus each one is `org.woolly.Error.` and its name.\n */\n'
                  'typedef enum {\n')
        for number, (suffix, _, _) in enumerate(rows):
            out.write(f'  WOOLLY_ERROR_{suffix} = {number},\n')
        out.write('} WoollyError;\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
