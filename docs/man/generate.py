#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the pages that come out of introspection/, as scdoc text, on stdout.

    generate.py interface FILE.xml      org.woolly.Woolly1.Manager(5) and its like
    generate.py options                 woolly-options(5): every key of every dictionary
    generate.py errors                  woolly-errors(5)
    generate.py stream                  woolly-stream(5)
    generate.py config                  woollyd.conf: every key with its default, commented out
    generate.py fill FILE.scd.in        a written page; a line `@OPTIONS SCOPE@` or `@SETTINGS@` becomes that table
"""
import re
import sys

import contract

COMMANDS = {}


def command(function):
    COMMANDS[function.__name__] = function
    return function


# What a reader of the pages opens instead of the sources.
PAGES = {'woolly-options.def': 'woolly-options(5)', 'woolly-errors.def': 'woolly-errors(5)',
         'woolly-stream.h': 'woolly-stream(5)'}


def escape(text):
    for name, page in PAGES.items():
        text = text.replace(name, page)
    text = re.sub(r'([\\*_`])', r'\\\1', text)
    return re.sub(r'^([.#|\[\]-])', r'\\\1', text)


def put(*lines):
    for line in lines:
        print(line)


def put_paragraphs(paragraphs):
    for paragraph in paragraphs:
        put(escape(paragraph), '')


def put_head(name, section, summary):
    put(f'{name}({section})', '', '# NAME', '', f'{name} - {escape(summary.rstrip("."))}', '')


def put_see_also(*pages):
    put('# SEE ALSO', '', ', '.join(f'*{escape(name)}*({section})' for name, section in pages))


def put_definition(term, lines):
    """A term and, below and indented, what there is to say about it."""
    put(term)
    for number, line in enumerate(lines):
        if number > 0:
            put('')
        put('\t' + escape(line))
    put('')


def row_lines(row):
    lines = [row.text + '.']
    facts = []
    if row.range_text():
        facts.append(('One of: ' if row.words is not None else 'Range: ') + row.range_text() + '.')
    if row.default:
        facts.append(f'Default: {row.default}.')
    if facts:
        lines.append(' '.join(facts))
    return lines


def put_options(scope):
    for row in contract.options():
        if row.scope == scope:
            put_definition(f'*{escape(row.key)}* ({row.type})', row_lines(row))


def put_settings():
    group = None
    for row in contract.settings():
        if row.scope != group:
            group = row.scope
            put(f'## [{group}]', '')
        put_definition(f'_any word_ ({row.type})' if row.key == '*' else f'*{escape(row.key)}* ({row.type})', row_lines(row))


def signature(member):
    if member.kind == 'property':
        return f'*{member.name}* ({member.type})'
    parts = []
    for name, kind, direction in member.arguments:
        arrow = '→ ' if direction == 'out' and member.kind == 'method' else ''
        parts.append(f'{arrow}_{escape(name)}_ {kind}')
    return f'*{member.name}* ({", ".join(parts)})'


def put_member(member):
    lines = [f'{name}: {member.doc.arguments[name]}.' for name, _, _ in member.arguments]
    lines += member.doc.paragraphs
    if member.kind == 'property':
        lines.append({'true': 'Changes are signalled.', 'const': 'Never changes.',
                      'false': 'Changes are not signalled; ask for it.'}.get(member.emits, ''))
    put(signature(member))
    for number, line in enumerate(line for line in lines if line):
        if number > 0:
            put('')
        put('\t' + escape(line))
    put('')


@command
def interface(path):
    face = contract.Interface(path)
    put_head(face.name, 5, face.doc.arguments['short_description'])
    put('# DESCRIPTION', '')
    put_paragraphs(face.doc.paragraphs)
    for kind, title in (('method', 'METHODS'), ('signal', 'SIGNALS'), ('property', 'PROPERTIES')):
        members = face.of_kind(kind)
        if members:
            put(f'# {title}', '')
        for member in members:
            put_member(member)
    others = [(other.name, 5) for other in contract.interfaces() if other.name != face.name and 'Worker' not in other.name]
    put_see_also(*others, ('woolly-options', 5), ('woolly-errors', 5), ('woolly-stream', 5), ('woollyctl', 1))


@command
def options():
    put_head('woolly-options', 5, 'keys of the dictionaries of the interfaces of Woolly')
    put('# DESCRIPTION', '')
    put(escape('Options go to Woolly as a{sv} and results come back as a{sv}. The letter behind a key is its D-Bus type. A '
               'key that the call does not know, a value of another type, one that is not a finite number, or one out of '
               'range is refused with org.woolly.Error.InvalidArgs, whose text names the key.'), '')
    for scope, title in contract.SCOPES.items():
        put(f'# {title.upper()}', '')
        put_options(scope)
    put_see_also(('org.woolly.Woolly1.Manager', 5), ('org.woolly.Woolly1.Session', 5), ('woollyctl', 1))


@command
def errors():
    put_head('woolly-errors', 5, 'errors of the interfaces of Woolly')
    put('# DESCRIPTION', '', escape('The name of a D-Bus error begins with org.woolly.Error. and ends with one of these.'), '')
    for _, name, meaning in contract.errors():
        put_definition(f'*{name}*', [meaning + '.'])
    put_see_also(('org.woolly.Woolly1.Manager', 5), ('woolly-stream', 5))


@command
def stream():
    put_head('woolly-stream', 5, 'what comes out of the descriptor of a generation')
    put('# DESCRIPTION', '')
    for block in contract.header_text('woolly-stream.h').split('\n\n')[1:]:
        if block.startswith('    '):
            put('```', block, '```', '')
        else:
            put(escape(contract.squeeze(block)), '')
    put('# FRAMES', '')
    with open(f'{contract.FOLDER}/woolly-stream.h', encoding='utf-8') as file:
        text = file.read()
    for name, number, note in re.findall(r'^  WOOLLY_FRAME_(\w+) += (\d+),(?: /\* (.*?) \*/)?', text, re.MULTILINE):
        put_definition(f'*{escape(name)}* {number}', [note or 'Text.'])
    put_see_also(('org.woolly.Woolly1.Session', 5), ('woolly-options', 5), ('woolly-errors', 5))


@command
def config():
    put('# SPDX-License-Identifier: LGPL-2.1-or-later', '#',
        '# Settings of woollyd; see woollyd.conf(5). What stands here commented out is the default.')
    group = None
    for row in contract.settings():
        if row.scope != group:
            group = row.scope
            put('', f'[{group}]')
        put(f'# {row.text}.')
        default = row.default.strip("'") if row.default != '[]' else ''
        put(f'#{"chat" if row.key == "*" else row.key}={default}')


@command
def fill(path):
    with open(path, encoding='utf-8') as file:
        for line in file.read().split('\n'):
            table = re.fullmatch(r'@OPTIONS (\w+)@', line)
            if table:
                put_options(table.group(1))
            elif line == '@SETTINGS@':
                put_settings()
            else:
                put(line)


if __name__ == '__main__':
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
