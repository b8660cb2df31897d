#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Structured output through D-Bus with the bundled model: every text is what its options hold it to."""
import json
import re
import unittest

from gi.repository import GLib

import woolly_tap
from real_service import TINY, RealCase, text_of

try:
    import jsonschema
except ImportError:
    jsonschema = None

PROMPT = 'Tell me a story about a red ball.'
SCHEMAS = [
    {'type': 'object', 'properties': {'name': {'type': 'string', 'maxLength': 30}, 'age': {'type': 'integer', 'minimum': 1, 'maximum': 99},
                                      'likes': {'type': 'array', 'items': {'enum': ['ball', 'dog', 'tree']}, 'maxItems': 3}},
     'required': ['name', 'age', 'likes'], 'additionalProperties': False},
    {'type': 'object', 'properties': {'名前': {'type': 'string', 'maxLength': 20}, '年齢': {'type': 'integer', 'maximum': 99},
                                      '色': {'enum': ['赤', '青い', '緑']}}, 'required': ['名前', '色'], 'additionalProperties': False},
    {'type': 'object', 'properties': {'الاسم': {'type': 'string', 'minLength': 2, 'maxLength': 20}, 'اللون': {'const': 'أحمر'}},
     'required': ['الاسم', 'اللون'], 'additionalProperties': False},
    {'type': 'array', 'items': {'type': 'string', 'pattern': '^[ก-๙]{2,5}$'}, 'minItems': 2, 'maxItems': 3},
    {'$defs': {'node': {'type': 'object', 'properties': {'text': {'type': 'string'}, 'more': {'type': 'array', 'items': {'$ref': '#/$defs/node'}}},
                        'required': ['text'], 'additionalProperties': False}}, '$ref': '#/$defs/node'},
    {'type': 'object'},
    {'oneOf': [{'type': 'string', 'format': 'date'}, {'type': 'number', 'exclusiveMinimum': 0, 'maximum': 1.5}]},
]


def text_option(value):
    return GLib.Variant('s', value)


@unittest.skipIf(jsonschema is None, 'python3-jsonschema is not installed: nobody judges the texts')
class Structured(RealCase):

    def generate(self, seed=1, n=60, session=None, **options):
        """(text, result)"""
        path, stream = self.app.generate(TINY, PROMPT, session, **{
            'seed': GLib.Variant('t', seed), 'max-tokens': GLib.Variant('u', n), **options})
        text = text_of(stream.all())
        return text, self.result(path)[1]

    def test_schemas(self):
        for i, schema in enumerate(SCHEMAS):
            for seed, n in ((1, 50), (2, 70), (3, 120)):
                text, result = self.generate(seed, n, **{'json-schema': text_option(json.dumps(schema, ensure_ascii=False))})
                self.assertNotIn('error', result)
                value = json.loads(text)
                jsonschema.Draft202012Validator(schema).validate(value)
                self.assertIn(result['reason'], ('stop', 'length'), i)
                self.assertLessEqual(result['tokens-out'], n)

    def test_temperature(self):
        """Held to it at every temperature, and the same text for the same seed."""
        schema = {'json-schema': text_option(json.dumps(SCHEMAS[0]))}
        for temperature in (0.0, 0.8, 10.0):
            options = {**schema, 'temperature': GLib.Variant('d', temperature), 'top-k': GLib.Variant('u', 0), 'top-p': GLib.Variant('d', 1),
                       'min-p': GLib.Variant('d', 0)}
            text = self.generate(7, 70, **options)[0]
            self.assertEqual(set(json.loads(text)), {'name', 'age', 'likes'})
            self.assertEqual(text, self.generate(7, 70, **options)[0])

    def test_other_languages(self):
        for seed in range(3):
            text = self.generate(seed, 40, grammar=text_option('root ::= word (" " word){2,5} "."\nword ::= [a-z]+ | "赤い"\n'))[0]
            self.assertRegex(text, r'^(([a-z]+|赤い)( |\.$)){3,6}$')
            expression = r'(Once|いつか) [a-z ]{5,30}[.!]'
            text = self.generate(seed, 40, regex=text_option(expression))[0]
            self.assertTrue(re.fullmatch(expression, text), text)
            text, result = self.generate(seed, 40, choice=GLib.Variant('as', ['yes', 'no', 'نعم', 'いいえ']))
            self.assertIn(text, ('yes', 'no', 'نعم', 'いいえ'))
            self.assertEqual(result['reason'], 'stop')

    def test_behind_a_mark(self):
        text = self.generate(3, 80, **{'json-schema': text_option('{"type":"boolean"}'), 'constrain-after': text_option('</think>')})[0]
        thought, mark, answer = text.partition('</think>')
        self.assertTrue(mark, text)
        self.assertTrue(thought)
        self.assertIsInstance(json.loads(answer), bool)

    def test_stop_token_comes_at_the_end_only(self):
        text, result = self.generate(1, 200, regex=text_option('[a-z]{1,8}( [a-z]{1,8}){20}[.]'))
        self.assertEqual(len(text.split(' ')), 21)
        self.assertEqual(result['reason'], 'stop')

    def test_ignore_end(self):
        text, result = self.generate(1, 50, choice=GLib.Variant('as', ['abc']), **{'ignore-end': GLib.Variant('b', True)})
        self.assertEqual((text, result['reason']), ('abc', 'stop'))

    def test_refused(self):
        for options, words in (
                ({'json-schema': text_option('{"contentEncoding":"base64"}')}, ('json-schema', '#/contentEncoding')),
                ({'json-schema': text_option('{')}, ('json-schema', 'line 1')),
                ({'grammar': text_option('root ::= root "a" | "b"')}, ('grammar', 'left recursion')),
                ({'regex': text_option('(')}, ('regex', 'character 2')),
                ({'choice': GLib.Variant('as', [''])}, ('choice', 'empty')),
                ({'regex': text_option('a'), 'grammar': text_option('root ::= "a"')}, ('grammar', 'regex')),
                ({'constrain-after': text_option('x')}, ('constrain-after',)),
                ({'regex': text_option('[a-z]{900} .*'), 'max-tokens': GLib.Variant('u', 5)}, ('max-tokens',))):
            result = self.generate(**options)[1]
            self.assertEqual(result['error'], 'org.woolly.Error.InvalidArgs', options)
            for word in words:
                self.assertIn(word, result['message'])

    def test_refused_leaves_the_session(self):
        session = self.open_session(TINY)
        self.generate(n=5, session=session)
        before = self.tokens(session)
        result = self.generate(n=4, session=session, regex=text_option('x{3000}'))[1]
        self.assertEqual(result['error'], 'org.woolly.Error.InvalidArgs')
        self.assertEqual(self.tokens(session), before)
        text = self.generate(session=session, choice=GLib.Variant('as', ['ok']))[0]
        self.assertEqual(text, 'ok')

    def test_only_one_generation_is_held(self):
        """Beside others and after them, in one session and in a fork of it."""
        session = self.open_session(TINY)
        free = {'temperature': GLib.Variant('d', 0)}
        expected = self.generate(n=20, session=self.open_session(TINY), **free)[0]
        self.assertEqual(self.generate(n=20, session=session, **free)[0], expected)
        self.generate(n=20, session=session, choice=GLib.Variant('as', ['red']))
        fork = self.app.call(session, 'Session.Fork', '(a{sv})', ({},))
        self.assertEqual(self.generate(n=12, session=session, **free)[0], self.generate(n=12, session=fork, **free)[0])

    def test_context(self):
        session = self.open_session(TINY, context=GLib.Variant('u', 48))
        text, result = self.generate(5, 500, session=session, **{'json-schema': text_option('{"type":"array","items":{"type":"string"}}')})
        self.assertIsInstance(json.loads(text), list)
        self.assertLessEqual(result['context-used'], 48)


if __name__ == '__main__':
    woolly_tap.main()
