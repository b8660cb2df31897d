# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads introspection/: interfaces with their documentation, and the tables of options, settings and errors.

Used by the generator of the manual pages and by the tests that ask whether all of it is documented.
"""
import os
import re
import xml.etree.ElementTree as ElementTree

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..'))
FOLDER = os.path.join(ROOT, 'introspection')

SCOPES = {
    'GENERATE': 'Options of Generate and GenerateText',
    'INPUT': 'What to generate from, to tokenise, to count or to render',
    'MESSAGE': 'One message of a conversation',
    'SESSION': 'Options of OpenSession and Fork',
    'TOKENIZE': 'Options of Tokenize, Count and Detokenize',
    'EMBED': 'Options of Embed',
    'RERANK': 'Options of Rerank',
    'LOAD': 'Options of Load, HoldModel and EstimateModel',
    'WORKER': 'From woollyd to its workers only; refused from the bus',
    'SETTING': 'Settings',
    'IMPORT': 'Options of Admin.Import',
    'PULL': 'Options of Admin.Pull',
    'RESULT': 'What a finished generation reports',
    'PLUGIN': 'A row of ListPlugins',
    'DEVICE': 'A row of ListDevices',
    'USER': 'A row of ListUsers',
    'ESTIMATE': 'What EstimateModel gives',
}


def squeeze(text):
    return re.sub(r'\s+', ' ', text).strip()


class Doc:
    """A documentation comment: `Name:`, lines of `@argument: text`, a blank line, paragraphs."""

    def __init__(self, comment):
        lines = [line.strip() for line in comment.strip().split('\n')]
        head = re.match(r'([\w.]+):\s*(.*)$', lines[0])
        self.name = head.group(1) if head else None
        self.arguments = {}
        self.paragraphs = []
        current, last = [head.group(2)] if head and head.group(2) else [], None
        for line in lines[1:]:
            argument = re.match(r'@([\w-]+):\s*(.*)$', line)
            if argument:
                last = argument.group(1)
                self.arguments[last] = argument.group(2)
            elif not line:
                last = None
                self._end_paragraph(current)
                current = []
            elif last is not None:
                self.arguments[last] += ' ' + line
            else:
                current.append(line)
        self._end_paragraph(current)

    def _end_paragraph(self, lines):
        if lines:
            self.paragraphs.append(squeeze(' '.join(lines)))


class Member:
    """A method, signal or property. @arguments: (name, type, direction) each; of a property: its type alone."""

    def __init__(self, element, doc):
        self.kind = element.tag
        self.name = element.get('name')
        self.type = element.get('type')
        self.doc = doc
        self.arguments = [(arg.get('name'), arg.get('type'), arg.get('direction', 'in'))
                          for arg in element.findall('arg')]
        notes = {note.get('name'): note.get('value') for note in element.findall('annotation')}
        self.emits = notes.get('org.freedesktop.DBus.Property.EmitsChangedSignal', 'true')


class Interface:
    """One XML file."""

    def __init__(self, path):
        self.path = path
        parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
        with open(path, encoding='utf-8') as file:
            parser.feed(file.read())
        node = parser.close()
        self.doc, element = self._documented(node)[0]
        self.name = element.get('name')
        self.members = [Member(child, doc) for doc, child in self._documented(element)]

    @staticmethod
    def _documented(parent):
        """(documentation or None, element) of each child that is no comment."""
        pairs, doc = [], None
        for child in parent:
            if child.tag is ElementTree.Comment:
                doc = Doc(child.text)
            else:
                if child.tag != 'annotation':
                    pairs.append((doc, child))
                doc = None
        return pairs

    def of_kind(self, kind):
        return [member for member in self.members if member.kind == kind]


def interfaces():
    return [Interface(os.path.join(FOLDER, name)) for name in sorted(os.listdir(FOLDER)) if name.endswith('.xml')]


class Row:
    """A row of a table: `scope` is the group of a setting; `words` a list or None."""

    def __init__(self, scope, key, kind, minimum, maximum, default, text):
        self.scope, self.key, self.type = scope, key, kind
        self.minimum, self.maximum = minimum, maximum
        self.default, self.text, self.words = default, text, None

    def range_text(self):
        """For people: `1 to 64`, the words, or nothing."""
        if self.words is not None:
            return ', '.join(self.words)
        if self.type in ('u', 't', 'd') and (self.minimum, self.maximum) != ('0', '0'):
            if self.maximum == '18446744073709551615':
                return f'from {self.minimum}' if self.minimum != '0' else ''
            return f'{self.minimum} to {self.maximum}'
        return ''


def _strings(text):
    """Joins string constants that stand side by side."""
    return ''.join(re.findall(r'"((?:\\.|[^"\\])*)"', text)).replace('\\"', '"')


def _calls(path, macro):
    """Arguments of each MACRO (…) of a table, as written."""
    with open(path, encoding='utf-8') as file:
        text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.DOTALL)
    string = r'"(?:\\.|[^"\\])*"'
    for match in re.finditer(macro + r'\s*\(((?:' + string + r'|[^()"])*)\)', text):
        yield [part.strip() for part in re.findall(r'(?:' + string + r'|[^,"])+', match.group(1))]


def options():
    path = os.path.join(FOLDER, 'woolly-options.def')
    rows = []
    for scope, key, kind, minimum, maximum, default, text in _calls(path, 'WOOLLY_OPTION'):
        rows.append(Row(scope, _strings(key), _strings(kind), minimum, maximum, _strings(default), _strings(text)))
    for scope, key, words in _calls(path, 'WOOLLY_OPTION_WORDS'):
        for row in rows:
            if (row.scope, row.key) == (scope, _strings(key)):
                row.words = _strings(words).split('|')
    return rows


def option_words():
    """(scope, key) of each row of words, to be found among the options."""
    path = os.path.join(FOLDER, 'woolly-options.def')
    return [(scope, _strings(key)) for scope, key, _ in _calls(path, 'WOOLLY_OPTION_WORDS')]


def settings():
    rows = []
    for group, key, kind, minimum, maximum, default, text in _calls(os.path.join(FOLDER, 'woolly-settings.def'),
                                                                  'WOOLLY_SETTING'):
        rows.append(Row(_strings(group), _strings(key), _strings(kind), minimum, maximum, _strings(default),
                        _strings(text)))
    return rows


def errors():
    """(suffix of the enum, name, meaning)"""
    return [(suffix, _strings(name), _strings(text))
            for suffix, name, text in _calls(os.path.join(FOLDER, 'woolly-errors.def'), 'WOOLLY_ERROR_ROW')]


def header_text(name):
    """The first comment of a header: the text that stands above everything."""
    with open(os.path.join(FOLDER, name), encoding='utf-8') as file:
        comment = re.match(r'/\*(.*?)\*/', file.read(), re.DOTALL).group(1)
    lines = [re.sub(r'^ \* ?', '', line) for line in comment.split('\n')]
    return '\n'.join(lines[1:]).strip('\n')
