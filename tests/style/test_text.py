#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What holds for every text file: licence line, encoding, spaces, length, words that say that something is missing."""
import os
import re

import source
import woolly_tap

LICENCE = 'SPDX-License-Identifier: LGPL-2.1-or-later'
NEED_LICENCE = ('.c', '.h', '.py', '.sh', '.def', '.map', '.xml', '.xml.in', '.service.in', 'meson.build', '.gbnf',
                'meson_options.txt', '.yml', '.vala', '.js', '.mjs', '.bash', '.fish', '.conf')
BINARY = ('.gguf', '.png', '.bin', '.gz', '.gvariant', '.logits')
LONGEST_FILE = 900
WAITING = re.compile(r'\b(TODO|FIXME|XXX)\b|\bnot (yet )?implemented\b')  # nocheck: these are the words looked for


def is_text(path):
    return not path.endswith(BINARY) and b'\0' not in source.read_bytes(path)[:4096]


def is_data(path):
    """What tests read, and licences: their content is not ours to lay out."""
    return path.startswith('tests/data/') or '/corpus/' in path or path in ('COPYING', 'data/models/LICENSE')


class Text(source.StyleCase):

    def test_licence_line(self):
        paths = [path for path in source.walk() if not is_data(path)
                 and (path.endswith(NEED_LICENCE) or source.read_bytes(path)[:2] == b'#!')]
        for path in paths:
            if LICENCE not in '\n'.join(source.read(path).split('\n')[:5]):
                self.find(path, 1, f'the first lines lack "{LICENCE}"')
        self.report(len(paths))

    def test_encoding_and_spaces(self):
        paths = [path for path in source.walk() if is_text(path) and not is_data(path)]
        for path in paths:
            try:
                text = source.read(path)
            except UnicodeDecodeError as error:
                self.findings.append(f'{path}: no UTF-8: {error}')
                continue
            lines = text.split('\n')
            for number, line in enumerate(lines, 1):
                if line != line.rstrip():
                    self.find(path, number, 'space at the end of the line', lines)
                if '\t' in line and path.endswith(('.c', '.h', '.py', '.build', '.xml', '.def', '.md')):
                    self.find(path, number, 'a tab; indent with spaces', lines)
            if text and not text.endswith('\n'):
                self.find(path, len(lines), 'no newline at the end of the file', lines)
        self.report(len(paths))

    def test_file_length(self):
        paths = source.files('.c', '.h', '.py')
        for path in paths:
            n_lines = source.read(path).count('\n')
            if n_lines > LONGEST_FILE:
                self.find(path, 1, f'{n_lines} lines; a file has one noun and at most {LONGEST_FILE}')
        self.report(len(paths))

    def test_nothing_is_left_for_later(self):
        paths = [path for path in source.walk() if is_text(path) and not is_data(path)
                 and not path.endswith(('.po', '.pot'))]
        for path in paths:
            lines = source.read(path).split('\n')
            for number, line in enumerate(lines, 1):
                match = WAITING.search(line)
                if match is not None:
                    self.find(path, number, f'"{match.group(0)}": finish it, or write an issue', lines)
        self.report(len(paths))

    def test_headers_are_read_once(self):
        paths = source.files('.h')
        for path in paths:
            if not re.search(r'^#pragma once$', source.read(path), re.MULTILINE):
                self.find(path, 1, 'the header lacks "#pragma once"')
        self.report(len(paths))

    def test_programs_can_be_started(self):
        paths = [path for path in source.walk() if source.read_bytes(path)[:2] == b'#!']
        for path in paths:
            first = source.read(path).split('\n')[0]
            if not os.access(os.path.join(source.ROOT, path), os.X_OK):
                self.find(path, 1, 'it has a "#!" line and no execute permission')
            if 'python' in first and first != '#!/usr/bin/python3':
                self.find(path, 1, "the line must be #!/usr/bin/python3: Debian's has gi")
        self.report(len(paths))


if __name__ == '__main__':
    woolly_tap.main()
