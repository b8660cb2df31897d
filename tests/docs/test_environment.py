#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/environment.md names every environment variable, and no other."""
import os
import re
import unittest

import contract
import woolly_tap


def read(path):
    with open(os.path.join(contract.ROOT, path), encoding='utf-8') as file:
        return file.read()


def documented():
    return set(re.findall(r'^\| `(WOOLLY_[A-Z_]+)`', read('docs/environment.md'), re.MULTILINE))


class Environment(unittest.TestCase):

    def test_names_of_the_contract(self):
        names = set(re.findall(r'^#define WOOLLY_ENV_\w+ +"(\w+)"', read('introspection/woolly-names.h'), re.MULTILINE))
        self.assertGreater(len(names), 3)
        self.assertEqual(names - documented(), set())

    def test_names_in_the_sources(self):
        """Whatever looks up WOOLLY_… by its name."""
        found, inner = set(), set()
        for top in ('daemon', 'plugins', 'client', 'tests'):
            for folder, _, files in os.walk(os.path.join(contract.ROOT, top)):
                if top == 'tests' and 'meson.build' in files:  # what meson sets, and a test reads a few lines further
                    inner.update(re.findall(r'\bWOOLLY_[A-Z_]+\b', read(os.path.join(folder, 'meson.build'))))
                for name in files:
                    if not name.endswith(('.c', '.py', '.sh')):
                        continue
                    text = read(os.path.join(folder, name))
                    found.update(re.findall(r'(?:getenv|environ\.get|environ) ?[\[(]["\'](WOOLLY_[A-Z_]+)["\']', text))
        self.assertEqual(found - inner - documented(), set())

    def test_no_name_is_left_over(self):
        text = ''.join(read(path) for path in ('introspection/woolly-names.h', 'check', 'demo'))
        for folder, _, files in os.walk(os.path.join(contract.ROOT, 'tests')):
            text += ''.join(read(os.path.join(folder, name)) for name in files if name.endswith(('.c', '.h', '.py', '.build')))
        for name in documented():
            self.assertIn(name, text)


if __name__ == '__main__':
    woolly_tap.main()
