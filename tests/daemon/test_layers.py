#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must not be in the process on the bus: the engine, the plugin host, plugins, JSON, networks."""
import os
import re
import subprocess
import unittest

import woolly_tap

DAEMON = os.environ['WOOLLY_TEST_DAEMON']
# Symbols by the stems of the files of daemon/engine and daemon/host, and by the prefixes of the plugin ABI and of quant.
FOREIGN = ('daemon/engine', 'daemon/host')
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')


def stems():
    found = set()
    for top in FOREIGN:
        for _folder, _subs, files in os.walk(os.path.join(ROOT, top)):
            for name in files:
                stem, ending = os.path.splitext(name)
                if ending == '.c':
                    found.add(stem.removeprefix('wly-').replace('-', '_'))
    return found


class Layers(unittest.TestCase):

    def test_symbols(self):
        run = subprocess.run(['nm', '--defined-only', DAEMON], capture_output=True, text=True, check=True)
        symbols = [line.split()[-1] for line in run.stdout.splitlines()]
        self.assertIn('wly_bus_new', symbols)  # nm sees them
        foreign = stems()
        self.assertIn('gguf_reader', foreign)
        for symbol in symbols:
            self.assertNotRegex(symbol, '^wl[pq]_')
            for stem in foreign:
                self.assertFalse(symbol.startswith(f'wly_{stem}_'), symbol)

    def test_libraries(self):
        run = subprocess.run(['readelf', '-d', DAEMON], capture_output=True, text=True, check=True)
        needed = set(re.findall(r'NEEDED.*\[([^.\]]+)\.so', run.stdout))
        allowed = {'libgio-2', 'libglib-2', 'libgobject-2', 'libsystemd', 'libc', 'libm', 'libasan', 'libtsan', 'libubsan'}
        self.assertLessEqual(needed, allowed)


if __name__ == '__main__':
    woolly_tap.main()
