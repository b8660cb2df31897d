#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what ninja has to build for the tests of a suite: targets.py BUILD SUITE."""
import json
import os
import sys


def read_info(build, kind):
    with open(os.path.join(build, 'meson-info', f'intro-{kind}.json'), encoding='utf-8') as file:
        return json.load(file)


def main():
    build, suite = sys.argv[1:]
    files = {target['id']: target['filename'] for target in read_info(build, 'targets')}
    wanted = {identity for test in read_info(build, 'tests') for identity in test['depends']
              if suite in (name.rsplit(':', 1)[-1] for name in test['suite'])}
    if not wanted:
        sys.exit(f'There is no test of the suite {suite} in {build}')
    print('\n'.join(sorted(os.path.relpath(path, build) for identity in wanted for path in files[identity])))


if __name__ == '__main__':
    main()
