#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of data/, asked by the tools that will read them."""
import configparser
import os
import shutil
import subprocess
import tempfile
import unittest

import woolly_tap

BUILD = os.environ['WOOLLY_BUILD_DIR']
SOURCE = os.environ['WOOLLY_SOURCE_DIR']
# systemd's measure of what the unit leaves open, times ten: what can be shut without a user namespace.
EXPOSURE = 64


def read_ini(path):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(path, encoding='utf-8')
    return parser


class Data(unittest.TestCase):

    def test_bus_service_file(self):
        service = read_ini(f'{BUILD}/data/org.woolly.Woolly1.service')['D-BUS Service']
        self.assertEqual(service['Name'], 'org.woolly.Woolly1')
        self.assertEqual(service['Exec'], os.environ['WOOLLY_LIBEXECDIR'] + '/woollyd')
        self.assertEqual(service['SystemdService'], 'woollyd.service')

    def test_unit_agrees_with_the_service_file(self):
        unit = read_ini(f'{BUILD}/data/woollyd.service')['Service']
        self.assertEqual(unit['ExecStart'], os.environ['WOOLLY_LIBEXECDIR'] + '/woollyd')
        self.assertEqual(unit['BusName'], 'org.woolly.Woolly1')
        self.assertIn(unit['Type'], ('notify', 'dbus'))

    def analyze(self, *arguments):
        """systemd-analyze on the unit; with another program, as one that is missing is refused first."""
        with tempfile.TemporaryDirectory() as folder:
            with open(f'{BUILD}/data/woollyd.service', encoding='utf-8') as file:
                text = file.read().replace('ExecStart=' + os.environ['WOOLLY_LIBEXECDIR'] + '/woollyd', 'ExecStart=/bin/true')
            with open(f'{folder}/woollyd.service', 'w', encoding='utf-8') as file:
                file.write(text)
            run = subprocess.run(['systemd-analyze', '--user', *arguments, f'{folder}/woollyd.service'],
                                 env={**os.environ, 'XDG_RUNTIME_DIR': folder}, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run.stderr

    @unittest.skipIf(shutil.which('systemd-analyze') is None, 'systemd-analyze is not installed')
    def test_systemd_knows_every_key(self):
        self.assertNotIn('woollyd.service:', self.analyze('verify', '--man=no'))

    @unittest.skipIf(shutil.which('systemd-analyze') is None, 'systemd-analyze is not installed')
    def test_unit_is_shut_where_it_can_be(self):
        self.analyze('security', '--offline=true', '--no-pager', f'--threshold={EXPOSURE}')

    @unittest.skipIf(shutil.which('appstreamcli') is None, 'appstreamcli is not installed')
    def test_metainfo(self):
        run = subprocess.run(['appstreamcli', 'validate', '--no-net', '--explain',
                              f'{SOURCE}/data/org.woolly.Woolly.metainfo.xml'], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout)

    def test_bundled_model_is_the_one_of_its_readme(self):
        run = subprocess.run(['sha256sum', f'{SOURCE}/data/models/woolly-tiny-Q8_0.gguf'], capture_output=True, text=True,
                             check=True)
        with open(f'{SOURCE}/data/models/README.md', encoding='utf-8') as file:
            self.assertIn(run.stdout.split()[0], file.read())


if __name__ == '__main__':
    woolly_tap.main()
