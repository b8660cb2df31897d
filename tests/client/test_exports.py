#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The public surface of libwoolly: symbol map, exported symbols, headers and GIR say the same.

WOOLLY_LIBRARY: the shared library; WOOLLY_GIR: the GIR, empty where it is not built.
"""
import glob
import os
import re
import subprocess
import unittest
import xml.etree.ElementTree

import woolly_tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, 'client', 'libwoolly')
C = '{http://www.gtk.org/introspection/c/1.0}'
CORE = '{http://www.gtk.org/introspection/core/1.0}'
# Of GObject's boxed types, which languages handle by themselves, and of C alone.
NOT_IN_GIR = {'woolly_error_get_name'}


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def mapped():
    return set(re.findall(r'^ {4}(woolly_\w+);$', read(os.path.join(FOLDER, 'libwoolly.map')), re.MULTILINE))


def declared():
    """Functions that the installed headers mark as available, those of the macros and of mkenums included."""
    names = set()
    for path in glob.glob(os.path.join(FOLDER, '*.h')):
        if os.path.basename(path).endswith('-private.h'):
            continue
        for block in read(path).split('WOOLLY_AVAILABLE_IN_ALL\n')[1:]:
            macro = re.match(r'G_DECLARE_FINAL_TYPE \(\w+, (\w+)', block)
            if macro:
                names.add(macro.group(1) + '_get_type')
            else:
                names.add(re.match(r'[\w\s*]*?\b(woolly_\w+) \(', block).group(1))
        for enum in re.findall(r'^} Woolly(\w+);$', read(path), re.MULTILINE):
            if 'WOOLLY_AVAILABLE_IN_ALL' in read(path):
                names.add('woolly' + re.sub('([A-Z])', r'_\1', enum).lower() + '_get_type')
    return names | {'woolly_error_get_type'}


class Exports(unittest.TestCase):

    def test_map_is_what_is_exported(self):
        out = subprocess.run(['nm', '-D', '--defined-only', '--without-symbol-versions', os.environ['WOOLLY_LIBRARY']],
                             check=True, capture_output=True, text=True).stdout
        exported = {line.split()[-1] for line in out.splitlines() if line.split()[1] in 'TDBR'}
        self.assertEqual(exported, mapped())
        self.assertGreater(len(exported), 100)

    def test_map_is_what_is_declared(self):
        self.assertEqual(declared(), mapped())

    def test_map_is_sorted(self):
        names = re.findall(r'^ {4}(woolly_\w+);$', read(os.path.join(FOLDER, 'libwoolly.map')), re.MULTILINE)
        self.assertEqual(names, sorted(names))

    @unittest.skipUnless(os.environ.get('WOOLLY_GIR'), 'the GIR is not built')
    def test_gir_has_them_all(self):
        tree = xml.etree.ElementTree.parse(os.environ['WOOLLY_GIR'])
        names = {node.get(C + 'identifier') for node in tree.iter()} - {None}
        types = {node.get('{http://www.gtk.org/introspection/glib/1.0}get-type') for node in tree.iter()} - {None}
        self.assertEqual(mapped() - names - types - NOT_IN_GIR, set())

    @unittest.skipUnless(os.environ.get('WOOLLY_GIR'), 'the GIR is not built')
    def test_all_is_documented(self):
        tree = xml.etree.ElementTree.parse(os.environ['WOOLLY_GIR'])
        kinds = ('function', 'method', 'constructor', 'class', 'record', 'property', 'enumeration', 'bitfield', 'member')
        bare, count = [], 0
        for kind in kinds:
            for node in tree.iter(CORE + kind):
                private = node.get('{http://www.gtk.org/introspection/glib/1.0}is-gtype-struct-for') is not None
                if private:
                    continue
                count += 1
                if node.find(CORE + 'doc') is None:
                    bare.append(f'{kind} {node.get("name")}')
        self.assertEqual(bare, [])
        self.assertGreater(count, 150)


class Headers(unittest.TestCase):

    def test_each_compiles_alone_in_c_and_cpp(self):
        flags = subprocess.run(['pkg-config', '--cflags', 'gio-unix-2.0'], check=True, capture_output=True,
                               text=True).stdout.split()
        built = os.path.dirname(os.environ['WOOLLY_LIBRARY'])
        for path in sorted(glob.glob(os.path.join(FOLDER, 'woolly*.h'))):
            name = os.path.basename(path)
            if 'WOOLLY_AVAILABLE_IN_ALL' not in read(path):
                continue
            for language in ('c', 'c++'):
                with self.subTest(f'{name} in {language}'):
                    done = subprocess.run([*os.environ.get('CC', 'cc').split(), f'-x{language}', '-fsyntax-only', '-Wall',
                                           '-Werror', f'-I{FOLDER}', f'-I{built}', *flags, '-'], text=True,
                                          input=f'#include <{name}>\n', capture_output=True)
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == '__main__':
    woolly_tap.main()
