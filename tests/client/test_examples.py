#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of docs/examples, as they stand, with the real service.

They start it by D-Bus alone, so that the bus gets a service file. WOOLLY_DAEMON: the service; WOOLLY_EXAMPLE: the example in C.
"""
import os
import subprocess
import tempfile
import unittest

import woolly_tap
from private_bus import PrivateBus

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, 'docs', 'examples')
STORY = ('Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a '
         'big, red ball. She wanted to play with it')


def setUpModule():
    global services
    services = tempfile.TemporaryDirectory()
    daemon = os.environ.pop('WOOLLY_DAEMON')
    with open(os.path.join(services.name, 'org.woolly.Woolly1.service'), 'w', encoding='utf-8') as file:
        file.write(f'[D-BUS Service]\nName=org.woolly.Woolly1\nExec={daemon}\n')
    for name in ('DATA', 'CONFIG', 'STATE', 'CACHE'):
        os.environ[f'XDG_{name}_HOME'] = os.path.join(services.name, name.lower())
    os.environ['WOOLLY_MODEL_PATH'] = os.path.join(ROOT, 'data', 'models')
    PrivateBus(services.name).up()


def tearDownModule():
    services.cleanup()


class Examples(unittest.TestCase):

    def check(self, program):
        done = subprocess.run([program, 'Tell me a story about a red ball.'], capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stdout), (0, STORY + '\n'), done.stderr)
        self.assertIn('woolly-tiny-Q8_0', done.stderr)

    def test_gio_only(self):
        self.check(os.path.join(FOLDER, 'gio-only.py'))

    @unittest.skipUnless(os.environ.get('GI_TYPELIB_PATH'), 'the typelib is not built')
    def test_libwoolly(self):
        self.check(os.path.join(FOLDER, 'libwoolly.py'))

    def test_gdbus(self):
        self.check(os.path.join(FOLDER, 'gdbus.sh'))

    def test_c(self):
        self.check(os.environ['WOOLLY_EXAMPLE'])


if __name__ == '__main__':
    woolly_tap.main()
