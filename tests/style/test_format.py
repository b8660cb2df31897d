#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The layout of C, as clang-format 14 makes it. Another version lays out otherwise, so it is not asked."""
import os
import shutil
import subprocess
import unittest

import source
import woolly_tap


def find_formatter():
    for name in ('clang-format-14', 'clang-format'):
        path = shutil.which(name)
        if path is None:
            continue
        version = subprocess.run([path, '--version'], capture_output=True, text=True, check=True).stdout
        if ' version 14.' in version:
            return path
    return None


class Format(source.StyleCase):

    def test_clang_format(self):
        formatter = find_formatter()
        if formatter is None:
            raise unittest.SkipTest('clang-format 14 is not installed')
        paths = [path for path in source.files('.c', '.h') if not path.startswith('tests/data/')]
        run = subprocess.run([formatter, '--dry-run', '-Werror', '--ferror-limit=3'] + paths, cwd=source.ROOT,
                             capture_output=True, text=True, check=False)
        for line in run.stderr.split('\n'):
            if ': error:' in line:
                path, number, _ = line.split(':', 2)
                self.find(os.path.normpath(path), int(number), 'clang-format -i would lay this out otherwise')
        self.assertTrue(run.returncode == 0 or self.findings, run.stderr)
        self.report(len(paths))


if __name__ == '__main__':
    woolly_tap.main()
