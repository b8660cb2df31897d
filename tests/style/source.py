# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tree as the style checks see it: its files, and a C file taken apart into functions and statements.

A line is excused from a check by `nocheck: reason` in a comment on it or on the line above it; a whole file, by such a
comment in its first five lines.
"""
import os
import re
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..'))
NOCHECK = re.compile(r'nocheck:\s*\S+')
IDENTIFIER = re.compile(r'[A-Za-z_]\w*')
TOKEN = re.compile(r'[A-Za-z_]\w*|[0-9][\w.]*|"[^"\n]*"|\'[^\'\n]*\'|->|[{}()\[\];:,?=#]|[^\s\w]')
DEFINITION = re.compile(r'^(?![A-Z0-9_]+ )([A-Za-z_]\w*) \(')  # a macro in capitals is no definition


def is_build_folder(path):
    return os.path.isdir(os.path.join(path, 'meson-private'))


def walk():
    """Paths, relative to the root, of all files of the project; build folders and hidden ones left out."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders
                            if (not name.startswith('.') or name == '.ci') and name != '__pycache__'
                            and not name.startswith('build') and not is_build_folder(os.path.join(folder, name)))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.startswith('.') and not os.path.islink(path):
                yield os.path.relpath(path, ROOT)


def read_bytes(path):
    with open(os.path.join(ROOT, path), 'rb') as file:
        return file.read()


def read(path):
    return read_bytes(path).decode('utf-8')


def files(*suffixes, under=''):
    return [path for path in walk() if path.endswith(suffixes) and path.startswith(under)]


def excused(lines, number):
    """Whether line @number, from 1, is excused."""
    for index in (number - 1, number - 2):
        if 0 <= index < len(lines) and NOCHECK.search(lines[index]):
            return True
    return any(NOCHECK.search(line) for line in lines[:5])


def _blank(match):
    text = match.group(0)
    if text.startswith('"') or text.startswith("'"):
        return text[0] + ' ' * (len(text) - 2) + text[-1]
    return re.sub(r'[^\n]', ' ', text)


def strip_comments(text):
    """C text of the same shape with blanks for comments and for what stands in quotes."""
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', _blank, text, flags=re.DOTALL)


def strip_directives(text):
    """The same with blanks for preprocessor lines and their continuations."""
    out = []
    inside = False
    for line in text.split('\n'):
        inside = inside or line.lstrip().startswith('#')
        out.append('' if inside else line)
        inside = inside and line.endswith('\\')
    return '\n'.join(out)


class Function:
    """A definition: its name, whether it is static, the lines of its body and the tokens in it."""

    def __init__(self, name, static, head, line, body):
        self.name = name
        self.static = static
        self.head = head  # where it begins, with its type
        self.line = line  # where its body begins
        self.body = body

    def n_lines(self):
        return len(self.body)

    def tokens(self):
        """(token, line number) of the body."""
        for offset, line in enumerate(self.body):
            for match in TOKEN.finditer(line):
                yield match.group(0), self.line + offset


def functions(path):
    """Definitions in a C file laid out by .clang-format: name and braces stand in the first column."""
    lines = strip_directives(strip_comments(read(path))).split('\n')
    number = 0
    while number < len(lines):
        match = DEFINITION.match(lines[number])
        if match is None or number == 0:
            number += 1
            continue
        brace = number
        while brace < len(lines) and lines[brace] != '{' and not lines[brace].rstrip().endswith(';'):
            brace += 1
        if brace >= len(lines) or lines[brace] != '{':
            number = brace + 1
            continue
        end = brace
        while end < len(lines) and lines[end] != '}':
            end += 1
        before = ' '.join(lines[max(0, number - 2):number])
        static = re.search(r'\bstatic\b', before.rsplit('}', 1)[-1].rsplit(';', 1)[-1]) is not None
        yield Function(match.group(1), static, number, brace + 1, lines[brace:end + 1])
        number = end + 1


def deepest_nesting(function):
    """How many control statements the innermost statement stands in; braces or not. `else if` is no new level."""
    tokens = [token for token, _ in function.tokens()]
    stack = []  # of 'control' (waits for its statement), 'block' (a control's braces), 'plain' (other braces)
    deepest = 0
    position = 0

    def end_statement():
        while stack and stack[-1] == 'control':
            stack.pop()

    while position < len(tokens):
        token = tokens[position]
        if token in ('if', 'for', 'while', 'switch') or (token == 'else' and tokens[position + 1:position + 2] != ['if']) \
                or token == 'do':
            if token == 'while' and _closes_do(tokens, position):
                position = _skip_parentheses(tokens, position + 1)
                continue
            stack.append('control')
            deepest = max(deepest, sum(level != 'plain' for level in stack))
            if token in ('if', 'for', 'while', 'switch'):
                position = _skip_parentheses(tokens, position + 1)
                continue
        elif token == '{':
            if stack and stack[-1] == 'control':
                stack[-1] = 'block'
            else:
                stack.append('plain')
        elif token == '}':
            if stack:
                stack.pop()
            end_statement()
        elif token == ';':
            end_statement()
        position += 1
    return deepest


def _closes_do(tokens, position):
    """Whether this `while` belongs to a `do`: it ends with a semicolon and follows a brace."""
    after = _skip_parentheses(tokens, position + 1)
    return position > 0 and tokens[position - 1] == '}' and tokens[after:after + 1] == [';']


def _skip_parentheses(tokens, position):
    """The position after the parentheses that begin at @position, if they do."""
    if position >= len(tokens) or tokens[position] != '(':
        return position
    depth = 0
    while position < len(tokens):
        depth += (tokens[position] == '(') - (tokens[position] == ')')
        position += 1
        if depth == 0:
            break
    return position


class StyleCase(unittest.TestCase):
    """A case that gathers all findings before it fails."""

    maxDiff = None

    def setUp(self):
        self.findings = []

    def find(self, path, line, text, lines=None):
        if lines is None:
            lines = read(path).split('\n')
        if not excused(lines, line):
            self.findings.append(f'{path}:{line}: {text}')

    def report(self, n_looked_at):
        self.assertGreater(n_looked_at, 0, 'nothing was looked at: the check has lost its files')
        if self.findings:
            self.fail('\n' + '\n'.join(self.findings))
