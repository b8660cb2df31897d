#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every key of woolly-options.def, with values of a wrong type and out of range, in every method that takes it."""
import math
import os
import re

from gi.repository import GLib

import woolly_tap
from real_service import BUNDLED, ROOT, SOURCE, TINY, Failed, RealCase

TABLE = os.path.join(SOURCE, 'introspection', 'woolly-options.def')
ROW = re.compile(r'WOOLLY_OPTION \((\w+), "([\w-]+)", "([^"]+)", ([^,]+), ([^,]+), ')
WORDS = re.compile(r'WOOLLY_OPTION_WORDS \((\w+), "([\w-]+)", "([^"]+)"\)')
LARGEST = {'u': 2**32 - 1, 't': 2**64 - 1, 'd': 1e300}
SMALLEST = {'u': 0, 't': 0, 'd': -1e300}
# What has any other type, by the type that would be right.
OTHER_TYPES = [('s', 'x'), ('u', 1), ('t', 1), ('d', 1.0), ('b', True), ('i', -1), ('as', ['x']), ('aa{sv}', []), ('ay', b'x'),
               ('v', GLib.Variant('u', 1)), ('(u)', (1,)), ('a{sv}', {})]


def read_table():
    with open(TABLE, encoding='utf-8') as file:
        text = file.read()
    words = {(scope, key): values for scope, key, values in WORDS.findall(text)}
    return [(scope, key, kind, float(minimum), float(maximum), words.get((scope, key)))
            for scope, key, kind, minimum, maximum in ROW.findall(text)]


def bad_values(kind, minimum, maximum, words):
    """Values that the row refuses."""
    values = [GLib.Variant(other, value) for other, value in OTHER_TYPES if other != kind]
    if kind in 'utd':
        if minimum > SMALLEST[kind]:
            values.append(GLib.Variant(kind, minimum / 2 if kind == 'd' and minimum > 0 else type(SMALLEST[kind])(minimum - 1)))
            values.append(GLib.Variant(kind, SMALLEST[kind]))
        if maximum < LARGEST[kind]:
            values.append(GLib.Variant(kind, type(LARGEST[kind])(maximum + 1)))
            values.append(GLib.Variant(kind, LARGEST[kind]))
    if kind == 'd':
        values += [GLib.Variant('d', value) for value in (math.nan, math.inf, -math.inf, minimum - 1e-9, maximum + 1e-9)]
    if kind == 's':
        values += [GLib.Variant('s', 'x' * (int(maximum) + 1))]
        values += [GLib.Variant('s', 'x' * (int(minimum) - 1))] if minimum > 0 else []
    if kind == 'as':
        values.append(GLib.Variant('as', ['x'] * (int(maximum) + 1)))
    if words:
        values += [GLib.Variant('s', value) for value in ('', 'x', words, words.split('|')[0].upper())]
    return values


class Options(RealCase):
    """One service for each case; it has to live through all of it."""

    def setUp(self):
        super().setUp()
        self.model = self.path(TINY)
        self.session = self.open_session(TINY)
        self.prompt = {'prompt': GLib.Variant('s', 'x')}

    def methods(self, scope):
        """(name, function that calls it with these options)"""
        app, model, prompt = self.app, self.model, self.prompt

        def call(path, member, signature, *before, after=()):
            return member, lambda options: app.call(path, member, signature, (*before, options, *after), fds=self.fds)
        return {
            'GENERATE': [call(ROOT, 'Manager.Generate', '(sa{sv}a{sv})', TINY, prompt),
                         call(ROOT, 'Manager.GenerateText', '(sa{sv}a{sv})', TINY, prompt),
                         call(self.session, 'Session.Generate', '(a{sv}a{sv})', prompt)],
            'INPUT': [call(ROOT, 'Manager.Generate', '(sa{sv}a{sv})', TINY, after=({},)),
                      call(ROOT, 'Manager.GenerateText', '(sa{sv}a{sv})', TINY, after=({},)),
                      call(self.session, 'Session.Generate', '(a{sv}a{sv})', after=({},)),
                      call(model, 'Model.Tokenize', '(a{sv}a{sv})', after=({},)),
                      call(model, 'Model.Count', '(a{sv}a{sv})', after=({},)),
                      call(model, 'Model.Render', '(a{sv})')],
            'SESSION': [call(ROOT, 'Manager.OpenSession', '(sa{sv})', TINY), call(self.session, 'Session.Fork', '(a{sv})')],
            'TOKENIZE': [call(model, 'Model.Tokenize', '(a{sv}a{sv})', prompt), call(model, 'Model.Count', '(a{sv}a{sv})', prompt),
                         call(model, 'Model.Detokenize', '(aua{sv})', [1, 2])],
            'EMBED': [call(model, 'Model.Embed', '(asa{sv})', ['x'])],
            'RERANK': [call(model, 'Model.Rerank', '(sasa{sv})', 'x', ['y'])],
            'LOAD': [call(model, 'Model.Load', '(a{sv})'), call(ROOT, 'Manager.HoldModel', '(sa{sv})', TINY),
                     call(ROOT, 'Manager.EstimateModel', '(sa{sv})', TINY)],
            'IMPORT': [call(ROOT, 'Admin.Import', '(ha{sv})', 0)],
            'PULL': [call(ROOT, 'Admin.Pull', '(sa{sv})', 'https://example.org/x.gguf')],
            'NONE': [call(ROOT, 'Manager.Resolve', '(sa{sv})', TINY), call(ROOT, 'Manager.OpenFiles', '(aha{sv})', [0])],
        }[scope]

    fds = ()

    def refused(self, name, function, key, value):
        try:
            function({key: value})
        except Failed as error:
            self.assertEqual(error.name, 'InvalidArgs', (name, key, str(value)[:60], error.text))
            named = f'“{key}”' in error.text or re.search(rf'by descriptor.*\b{key}\b', error.text)  # what to take instead
            self.assertTrue(named, (name, str(value)[:60], error.text))
            return
        self.fail(f'{name} took {key} = {str(value)[:60]}')

    def check_scope(self, scope):
        rows = [row[1:] for row in read_table() if row[0] == scope]
        self.assertTrue(rows)
        n_checked = 0
        for name, function in self.methods(scope):
            for key, kind, minimum, maximum, words in rows:
                for value in bad_values(kind, minimum, maximum, words):
                    self.refused(name, function, key, value)
                    n_checked += 1
            self.refused(name, function, 'no-such-key', GLib.Variant('u', 1))
            self.refused(name, function, 'threads', GLib.Variant('u', 1))  # woollyd's own
        print(f'# {scope}: {n_checked} values')
        self.assertEqual(self.app.get(self.session, 'Session', 'State'), 'idle')
        self.assertEqual(self.tokens(self.session), [])
        self.works()

    def test_generate(self):
        self.check_scope('GENERATE')

    def test_input(self):
        self.check_scope('INPUT')

    def test_session(self):
        self.check_scope('SESSION')

    def test_tokenize(self):
        self.check_scope('TOKENIZE')

    def test_load(self):
        self.check_scope('LOAD')

    def test_import(self):
        self.fds = [os.open(BUNDLED, os.O_RDONLY)]
        self.addCleanup(os.close, self.fds[0])
        self.check_scope('IMPORT')
        self.check_scope('PULL')
        self.assertEqual(os.listdir(self.folder), [])

    def test_none(self):
        self.fds = [os.open(BUNDLED, os.O_RDONLY)]
        self.addCleanup(os.close, self.fds[0])
        for name, function in self.methods('NONE'):
            for key in {row[1] for row in read_table()}:
                self.refused(name, function, key, GLib.Variant('u', 1))
        self.works()

    def test_messages(self):
        """Of one message: the worker looks at it, and says which key."""
        rows = [row[1:] for row in read_table() if row[0] == 'MESSAGE']
        for method in ('Manager.GenerateText', 'Model.Count', 'Model.Render'):
            name, function = next(each for each in self.methods('INPUT') if each[0] == method)
            for key, kind, minimum, maximum, words in rows:
                for value in bad_values(kind, minimum, min(maximum, 1 << 19), words):
                    if value.get_type_string() == kind and len(str(value)) > maximum / 2 > 1000:
                        continue  # what is longer than a message may be does not fit the call
                    message = {'role': GLib.Variant('s', 'user'), 'content': GLib.Variant('s', 'x'), key: value}
                    with self.assertRaises(Failed, msg=(method, key, str(value)[:60])) as caught:
                        function({'messages': GLib.Variant('aa{sv}', [message])})
                    self.assertEqual(caught.exception.name, 'InvalidArgs', (method, key, caught.exception.text))
                    self.assertIn(key, caught.exception.text)
        self.works()


if __name__ == '__main__':
    woolly_tap.main()
