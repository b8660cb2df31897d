#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manual pages: one for each interface and program, each key and member on one, and nothing that man complains about."""
import glob
import os
import re
import shutil
import subprocess
import unittest

import contract
import generate
import woolly_tap

FOLDER = os.environ['WOOLLY_MAN_PAGES']


def pages():
    return sorted(path for path in glob.glob(os.path.join(FOLDER, '*.[1-8]')))


def text_of(page):
    """As a terminal shows it, without marks and hyphens at the ends of lines."""
    run = subprocess.run(['man', '--warnings', '--encoding=UTF-8', '--no-hyphenation', '--local-file',
                          os.path.join(FOLDER, page)],
                         env={**os.environ, 'MANWIDTH': '1000', 'MAN_KEEP_FORMATTING': '', 'LC_ALL': 'C.UTF-8'},
                         capture_output=True, text=True, check=True)
    return re.sub(r'.\x08|\x1b\[[0-9;]*m', '', run.stdout), run.stderr


@unittest.skipIf(shutil.which('man') is None or shutil.which('groff') is None, 'man or groff is not installed')
class Pages(unittest.TestCase):

    def test_man_does_not_complain(self):
        self.assertGreater(len(pages()), 10)
        for page in pages():
            with self.subTest(page=os.path.basename(page)):
                text, complaints = text_of(page)
                self.assertEqual(complaints, '')
                self.assertIn('NAME', text)
                self.assertIn('DESCRIPTION', text)
                self.assertNotIn('@OPTIONS', text)

    def test_interfaces(self):
        for interface in contract.interfaces():
            if interface.name == 'org.woolly.Worker1':
                continue
            text, _ = text_of(interface.name + '.5')
            for member in interface.members:
                with self.subTest(member=f'{interface.name}.{member.name}'):
                    self.assertRegex(text, rf'\n +{member.name} \(')
                    for name, kind, _ in member.arguments:
                        self.assertIn(f'{name} {kind}', text)

    def test_options(self):
        text, _ = text_of('woolly-options.5')
        for row in contract.options():
            with self.subTest(option=f'{row.scope} {row.key}'):
                self.assertIn(f'{row.key} ({row.type})', text)
                meaning = row.text
                for name, page in generate.PAGES.items():
                    meaning = meaning.replace(name, page)
                self.assertIn(meaning, re.sub(r'\s+', ' ', text))

    def test_settings(self):
        text, _ = text_of('woollyd.conf.5')
        for row in contract.settings():
            with self.subTest(setting=f'{row.scope}.{row.key}'):
                self.assertIn(f'[{row.scope}]', text)
                if row.key != '*':
                    self.assertIn(f'{row.key} ({row.type})', text)

    def test_errors(self):
        text, _ = text_of('woolly-errors.5')
        for _, name, _ in contract.errors():
            self.assertRegex(text, rf'\n +{name}\n')

    def test_options_of_woollyd(self):
        """What --help lists, its page explains."""
        text, _ = text_of('woollyd.1')
        run = subprocess.run([os.environ['WOOLLY_DAEMON'], '--help'], capture_output=True, text=True, check=True)
        options = re.findall(r'^  (?:-\w, )?(--[\w-]+)', run.stdout, re.MULTILINE)
        self.assertGreater(len(options), 3)
        for option in options:
            self.assertRegex(text, rf'\n +(-\w, )?{option}\b')

    def test_pages_that_are_named_exist(self):
        known = {os.path.basename(page) for page in pages()}
        for page in pages():
            text, _ = text_of(os.path.basename(page))
            for name, section in re.findall(r'\b((?:woolly|org\.woolly)[\w.-]*)\((\d)\)', text):
                with self.subTest(page=os.path.basename(page)):
                    self.assertIn(f'{name}.{section}', known)


if __name__ == '__main__':
    woolly_tap.main()
