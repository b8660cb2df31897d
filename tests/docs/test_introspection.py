#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""introspection/ is the specification: everything in it is documented, and nothing documented is missing."""
import math
import os
import re
import unittest

from gi.repository import Gio, GLib

import contract
import woolly_tap

# A line of documentation beside these says what the type says already; everything else is a sentence or two.
SHORTEST_TEXT = 4


class Interfaces(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.interfaces = contract.interfaces()

    def test_all_are_there(self):
        names = sorted(interface.name for interface in self.interfaces)
        with open(os.path.join(contract.FOLDER, 'woolly-names.h'), encoding='utf-8') as file:
            declared = re.findall(r'^#define WOOLLY_(?:WORKER_)?INTERFACE\w* +"([\w.]+)"', file.read(), re.MULTILINE)
        self.assertEqual(names, sorted(declared))
        for interface in self.interfaces:
            self.assertEqual(os.path.basename(interface.path), interface.name + '.xml')

    def test_gio_reads_them(self):
        for interface in self.interfaces:
            with open(interface.path, encoding='utf-8') as file:
                node = Gio.DBusNodeInfo.new_for_xml(file.read())
            self.assertEqual([info.name for info in node.interfaces], [interface.name])
            self.assertEqual(len(interface.members), len(node.interfaces[0].methods) + len(node.interfaces[0].signals)
                             + len(node.interfaces[0].properties))

    def test_interfaces_are_documented(self):
        for interface in self.interfaces:
            with self.subTest(interface=interface.name):
                self.assertIsNotNone(interface.doc)
                self.assertEqual(interface.doc.name, interface.name)
                self.assertIn('short_description', interface.doc.arguments)
                self.assertTrue(interface.doc.paragraphs)

    def test_members_are_documented(self):
        for interface in self.interfaces:
            for member in interface.members:
                with self.subTest(member=f'{interface.name}.{member.name}'):
                    self.assertIsNotNone(member.doc, 'no comment above it')
                    self.assertEqual(member.doc.name, member.name, 'the comment is of something else')
                    self.assertTrue(member.doc.paragraphs, 'it is not said what it does')
                    for paragraph in member.doc.paragraphs:
                        self.assertRegex(paragraph, r'[.:)]$')

    def test_arguments_are_documented(self):
        for interface in self.interfaces:
            for member in interface.members:
                with self.subTest(member=f'{interface.name}.{member.name}'):
                    names = [name for name, _, _ in member.arguments]
                    self.assertEqual(names, list(member.doc.arguments), 'in this order, all of them and no other')
                    for name, text in member.doc.arguments.items():
                        self.assertGreaterEqual(len(text), SHORTEST_TEXT, name)

    def test_descriptors_are_announced(self):
        """gdbus-codegen leaves descriptors out without this annotation."""
        for interface in self.interfaces:
            with open(interface.path, encoding='utf-8') as file:
                node = Gio.DBusNodeInfo.new_for_xml(file.read())
            for method in node.interfaces[0].methods:
                signatures = ''.join(argument.signature for argument in method.in_args + method.out_args)
                notes = [note.key for note in method.annotations]
                if 'h' in signatures:
                    self.assertIn('org.gtk.GDBus.C.UnixFD', notes, f'{interface.name}.{method.name}')

    def test_what_is_not_documented_is_found(self):
        """The reader itself: a comment of another member, and none, must show."""
        xml = ('<node><!-- a.B:\n@short_description: x\n\ntext. --><interface name="a.B"><!-- One: --><method name="One"/>'
               '<method name="Two"><arg name="x" type="s"/></method></interface></node>')
        path = os.path.join(os.environ.get('TMPDIR', '/tmp'), f'woolly-{os.getpid()}.xml')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(xml)
        try:
            interface = contract.Interface(path)
        finally:
            os.unlink(path)
        one, two = interface.members
        self.assertEqual((one.doc.name, one.doc.paragraphs), ('One', []))
        self.assertIsNone(two.doc)


class Tables(unittest.TestCase):

    def check_row(self, row):
        """Type, range and default agree with each other."""
        self.assertTrue(GLib.VariantType.string_is_valid(row.type), 'the type is no D-Bus signature')
        self.assertGreaterEqual(len(row.text), SHORTEST_TEXT)
        self.assertNotRegex(row.text, r'\.$', 'the generator adds the full stop')
        minimum, maximum = float(row.minimum), float(row.maximum)
        self.assertTrue(math.isfinite(minimum) and math.isfinite(maximum) and minimum <= maximum)
        if not row.default:
            return
        value = GLib.Variant.parse(GLib.VariantType.new(row.type), row.default, None, None).unpack()
        if row.words is not None:
            for word in value if row.type == 'as' else [value]:
                self.assertIn(word, row.words)
        elif row.type in ('u', 't', 'd') and maximum > 0 and value != 0:
            self.assertTrue(minimum <= value <= maximum, f'the default {value} is out of its range')
        elif row.type in ('s', 'as'):
            self.assertLessEqual(len(value), maximum)

    def test_options(self):
        rows = contract.options()
        self.assertGreater(len(rows), 50)
        for row in rows:
            with self.subTest(option=f'{row.scope} {row.key}'):
                self.assertRegex(row.key, r'^[a-z][a-z0-9-]*$')
                self.assertIn(row.scope, contract.SCOPES)
                self.check_row(row)
        keys = [(row.scope, row.key) for row in rows]
        self.assertEqual(len(keys), len(set(keys)), 'a key is there twice')

    def test_words_belong_to_options(self):
        keys = {(row.scope, row.key): row for row in contract.options()}
        for scope, key in contract.option_words():
            self.assertIn((scope, key), keys)
            self.assertIn(keys[scope, key].type, ('s', 'as'))
            if keys[scope, key].type == 'as':
                self.assertLessEqual(len(keys[scope, key].words), float(keys[scope, key].maximum))
                continue
            for word in keys[scope, key].words:
                self.assertLessEqual(len(word), float(keys[scope, key].maximum))

    def test_every_row_is_read(self):
        """The reader's pattern must not lose a row."""
        for name, macro, rows in (('woolly-options.def', 'WOOLLY_OPTION', contract.options()),
                                  ('woolly-settings.def', 'WOOLLY_SETTING', contract.settings()),
                                  ('woolly-errors.def', 'WOOLLY_ERROR_ROW', contract.errors())):
            with open(os.path.join(contract.FOLDER, name), encoding='utf-8') as file:
                self.assertEqual(len(rows), len(re.findall(rf'^{macro} \(', file.read(), re.MULTILINE)), name)

    def test_every_scope_is_spoken_of(self):
        """Each scope with options is named by the XML, the stream's header or the table itself."""
        with open(os.path.join(contract.FOLDER, 'woolly-options.def'), encoding='utf-8') as file:
            head = file.read().split('*/', 1)[0]
        for scope in contract.SCOPES:
            self.assertIn(scope, head)

    def test_scopes_named_by_the_xml_exist(self):
        for interface in contract.interfaces():
            with open(interface.path, encoding='utf-8') as file:
                for scope in re.findall(r'[Ss]cope ([A-Z]+)', file.read()):
                    self.assertIn(scope, contract.SCOPES, interface.name)

    def test_settings(self):
        rows = contract.settings()
        self.assertGreater(len(rows), 5)
        for row in rows:
            with self.subTest(setting=f'{row.scope}.{row.key}'):
                self.assertRegex(row.key, r'^([a-z][a-z0-9-]*|\*)$')
                self.check_row(row)

    def test_errors(self):
        rows = contract.errors()
        self.assertGreater(len(rows), 10)
        for suffix, name, meaning in rows:
            with self.subTest(error=name):
                self.assertEqual(suffix.replace('_', '').lower(), name.lower())
                self.assertGreater(len(meaning), 10)
        self.assertEqual(len({name for _, name, _ in rows}), len(rows))

    def test_errors_named_by_the_xml_exist(self):
        names = {name for _, name, _ in contract.errors()}
        for interface in contract.interfaces():
            with open(interface.path, encoding='utf-8') as file:
                for name in re.findall(r'\bError ([A-Z]\w+)', file.read()):
                    self.assertIn(name, names, interface.name)


if __name__ == '__main__':
    woolly_tap.main()
