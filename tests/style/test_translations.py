#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""po/: POTFILES.in lists the files with texts for people, all of them and no other; translations are whole."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import source
import woolly_tap

TEXT = re.compile(r'(?<![\w"])(_|N_|C_|NC_|Q_|ngettext|g_dgettext|g_dngettext) \(')
READ_BY_PEOPLE = ('client/woollyctl/', 'daemon/bench/')


def listed():
    return [line for line in source.read('po/POTFILES.in').split('\n') if line and not line.startswith('#')]


class Translations(source.StyleCase):

    def with_texts(self):
        for path in source.files('.c', '.h'):
            if path.startswith('tests/'):
                continue
            if TEXT.search(source.strip_directives(source.strip_comments(source.read(path)))):
                yield path

    def test_potfiles(self):
        self.assertEqual(sorted(listed()), sorted(self.with_texts()))

    def test_texts_for_people_only_where_people_read(self):
        paths = list(self.with_texts())
        for path in paths:
            if not path.startswith(READ_BY_PEOPLE):
                self.find(path, 1, 'the log and D-Bus errors are not translated')
        self.report(len(paths) + 1)

    def test_translations_are_whole(self):
        if shutil.which('msgfmt') is None or shutil.which('xgettext') is None:
            raise unittest.SkipTest('gettext is not installed')
        languages = source.read('po/LINGUAS').split('\n')
        languages = [line for line in languages if line and not line.startswith('#')]
        self.assertEqual(sorted(f'po/{language}.po' for language in languages), source.files('.po', under='po/'))
        for language in languages:
            with self.subTest(language=language):
                self.check_translation(language)

    def check_translation(self, language):
        """Against a fresh template: what is new or fuzzy counts as missing."""
        with tempfile.TemporaryDirectory() as folder:
            template, merged = os.path.join(folder, 'woolly.pot'), os.path.join(folder, 'merged.po')
            subprocess.run(['xgettext', '--from-code=UTF-8', '--keyword=_', '--keyword=N_', '--keyword=C_:1c,2',
                            '--keyword=g_dngettext:2,3', '--add-comments', '--force-po', '-o', template] + listed(),
                           cwd=source.ROOT, check=True, capture_output=True)
            subprocess.run(['msgmerge', '--quiet', '-o', merged, os.path.join(source.ROOT, 'po', f'{language}.po'),
                            template], check=True, capture_output=True)
            run = subprocess.run(['msgfmt', '--check', '--statistics', '-o', '/dev/null', merged], check=False,
                                 capture_output=True, text=True, env={**os.environ, 'LC_ALL': 'C'})
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertNotRegex(run.stderr, r'untranslated|fuzzy', f'po/{language}.po lacks something; '
                                'run `meson compile -C build woolly-update-po` and translate it')


if __name__ == '__main__':
    woolly_tap.main()
