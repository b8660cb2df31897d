#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`meson install` puts everything where it belongs, and what it put there works.

The build folders of ./check and ./demo have their prefix inside themselves, so all of it is tried there. With another
prefix only the files are looked at, in a staging folder.
"""
import glob
import os
import shutil
import subprocess
import tempfile
import unittest

import woolly_tap

BUILD = os.environ['WOOLLY_BUILD_DIR']
SOURCE = os.environ['WOOLLY_SOURCE_DIR']
PREFIX = os.environ['WOOLLY_PREFIX']
OWN_PREFIX = os.path.realpath(PREFIX).startswith(os.path.realpath(BUILD) + '/')


class Install(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.stage = '' if OWN_PREFIX else tempfile.mkdtemp(prefix='woolly-install-')
        if OWN_PREFIX:
            shutil.rmtree(PREFIX, ignore_errors=True)
        environment = {name: value for name, value in os.environ.items() if name != 'DESTDIR'}
        if cls.stage:
            environment['DESTDIR'] = cls.stage
        run = subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild'], env=environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if run.returncode != 0:
            raise RuntimeError(run.stdout)

    @classmethod
    def tearDownClass(cls):
        # woollyd looks for models below its prefix, too: what stayed there would be met by the tests of the next run
        shutil.rmtree(cls.stage or PREFIX)

    def path(self, variable, *rest):
        return self.stage + os.path.join(os.environ[variable], *rest)

    def assert_there(self, path):
        self.assertTrue(os.path.exists(path), f'{path} was not installed')

    def test_files_for_the_bus_and_systemd(self):
        self.assert_there(self.path('WOOLLY_DATADIR', 'dbus-1', 'services', 'org.woolly.Woolly1.service'))
        self.assert_there(self.path('WOOLLY_USER_UNIT_DIR', 'woollyd.service'))
        self.assert_there(self.path('WOOLLY_DATADIR', 'metainfo', 'org.woolly.Woolly.metainfo.xml'))

    def test_interfaces(self):
        installed = {os.path.basename(path) for path in glob.glob(self.path('WOOLLY_DATADIR', 'dbus-1', 'interfaces', '*'))}
        written = {os.path.basename(path) for path in glob.glob(f'{SOURCE}/introspection/org.woolly.Woolly1.*.xml')}
        self.assertEqual(installed, written)
        self.assertGreater(len(written), 4)

    def test_model(self):
        installed = self.path('WOOLLY_DATADIR', 'woolly', 'models', 'woolly-tiny-Q8_0.gguf')
        self.assertEqual(os.path.getsize(installed), os.path.getsize(f'{SOURCE}/data/models/woolly-tiny-Q8_0.gguf'))
        self.assert_there(self.path('WOOLLY_DATADIR', 'woolly', 'models', 'LICENSE'))

    def test_plugin_headers(self):
        written = {os.path.basename(path) for path in glob.glob(f'{SOURCE}/plugins/abi/woolly-plugin/*.h')}
        installed = {os.path.basename(path) for path in glob.glob(self.stage + PREFIX + '/include/woolly-plugin/*.h')}
        self.assertEqual(installed, written)

    @unittest.skipIf(shutil.which('scdoc') is None, 'scdoc is not installed')
    def test_manual_pages(self):
        for page in ('man1/woollyctl.1', 'man1/woollyd.1', 'man5/org.woolly.Woolly1.Manager.5', 'man5/woolly-options.5'):
            self.assert_there(self.path('WOOLLY_MANDIR', page))

    def test_nothing_of_the_tests(self):
        for folder, _, names in os.walk(self.stage + PREFIX):
            for name in names:
                self.assertNotRegex(name, r'test|\.a$', folder)


if __name__ == '__main__':
    woolly_tap.main()
