#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin exports one symbol, and nothing of it runs when it is opened.  Arguments: the plugins."""
import os
import subprocess
import sys
import unittest

import woolly_tap

PLUGINS = [path for path in sys.argv[1:] if path.endswith('.so')]
sys.argv[1:] = []


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Exports(unittest.TestCase):

    def test_one_symbol(self):
        self.assertGreater(len(PLUGINS), 0)
        for path in PLUGINS:
            with self.subTest(plugin=os.path.basename(path)):
                lines = output_of('nm', '-D', '--defined-only', path).split('\n')
                symbols = [line.split()[-1] for line in lines if line.strip()]
                self.assertEqual(symbols, ['wlp_plugin_enum'])

    def test_note(self):
        for path in PLUGINS:
            with self.subTest(plugin=os.path.basename(path)):
                self.assertIn('.note.woolly', output_of('readelf', '-SW', path))

    def test_no_constructors(self):
        """Of the compiler's start files there is one entry, which registers frames."""
        for path in PLUGINS:
            with self.subTest(plugin=os.path.basename(path)):
                if '__asan_' in output_of('nm', '-D', path) or '__tsan_' in output_of('nm', '-D', path):
                    self.skipTest('a sanitizer has constructors of its own')
                sections = [line.split() for line in output_of('readelf', '-SW', path).split('\n')]
                sizes = [int(words[words.index('INIT_ARRAY') + 3], 16) for words in sections if 'INIT_ARRAY' in words]
                self.assertLessEqual(sum(sizes), 8)


if __name__ == '__main__':
    woolly_tap.main()
