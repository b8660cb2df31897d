#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pages that walk through the tree name files and functions that are there."""
import pathlib
import re
import unittest

import woolly_tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ['docs/architecture.md', 'docs/reliability.md', 'docs/adding-an-architecture.md']
FILE = re.compile(r'`([\w.-]+(?:/[\w.-]+)+/?)`')
FUNCTION = re.compile(r'`(\w+)\(\)`')


def sources():
    for folder in ('daemon', 'plugins', 'client', 'introspection', 'tests'):
        yield from (ROOT / folder).rglob('*.[ch]')


class Walk(unittest.TestCase):
    def pages(self):
        found = [ROOT / page for page in PAGES if (ROOT / page).exists()]
        self.assertTrue(found)
        return found

    def test_files(self):
        for page in self.pages():
            for name in FILE.findall(page.read_text()):
                if name.split('/')[0] not in {path.name for path in ROOT.iterdir()}:
                    continue  # not a path of this tree: build/, a URL's
                self.assertTrue((ROOT / name).exists(), f'{page.name} names {name}')

    def test_functions(self):
        text = '\n'.join(path.read_text() for path in sources())
        defined = set(re.findall(r'\b(\w+) \(', text)) | set(re.findall(r'\(\*(\w+)\)', text))
        for page in self.pages():
            for name in FUNCTION.findall(page.read_text()):
                self.assertIn(name, defined, f'{page.name} names {name}()')

    def test_walk_is_no_list_of_nothing(self):
        text = (ROOT / 'docs/architecture.md').read_text()
        self.assertGreater(len(FILE.findall(text)), 40)
        self.assertGreater(len(FUNCTION.findall(text)), 15)


if __name__ == '__main__':
    woolly_tap.main()
