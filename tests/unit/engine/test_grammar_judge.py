#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""JSON Schema constraints against python3-jsonschema.

Random schemas: what comes out under their masks always validates, however short the budget is, and random valid
instances with keys in the order of the schema are accepted, with each kind of white space that is documented.
"""
import json
import os
import random
import subprocess
import unittest

import woolly_tap

try:
    import jsonschema
except ImportError:
    jsonschema = None

WORDS = ['name', 'n', 'value', 'list-of', '名前', 'العمر', 'ключ', 'a b', 'x"y', 'café']
TEXTS = ['', 'a', 'hello', 'Zed 9', '日本語のテキスト', 'مرحبا', 'tab\tquote"back\\', 'é\n', '😀', 'x-ray']
PATTERNS = [('^[a-z]+$', ['a', 'hello']), ('^[0-9]{3}$', ['123', '007']), ('語', ['日本語', '語']), ('^(x|y)-', ['x-ray', 'y-'])]
FORMATS = {'date': '2024-02-29', 'time': '12:30:59Z', 'date-time': '2023-11-05T01:02:03.5+02:00', 'ipv4': '10.0.255.1',
           'uuid': '123e4567-e89b-12d3-a456-426614174000', 'email': 'a.b+c@example.org', 'hostname': 'a-b.example',
           'ipv6': '2001:db8::1', 'duration': 'P1DT2H', 'uri': 'https://example.org/a?b=c#d'}


class Maker:
    """A random schema together with a way to make instances of it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.definitions = {}

    def schema(self, depth=0):
        kinds = ['string', 'integer', 'number', 'boolean', 'null', 'enum', 'pattern', 'format', 'types']
        if depth < 3:
            kinds += ['array', 'object', 'object', 'tuple', 'map', 'anyOf', 'oneOf', 'allOf', 'any', 'ref', 'contains', 'not', 'if',
                      'dependent', 'left']
        return getattr(self, 'make_' + self.random.choice(kinds))(depth)

    def make_string(self, _depth):
        low, high = sorted(self.random.sample(range(8), 2))
        schema = {'type': 'string'}
        if self.random.random() < 0.5:
            schema.update(minLength=low, maxLength=high)
            return schema, lambda: ''.join(self.random.choice('ab語é"😀\\') for _ in range(self.random.randint(low, high)))
        return schema, lambda: self.random.choice(TEXTS)

    def make_integer(self, _depth):
        low = self.random.randint(-200, 1500)
        high = low + self.random.randint(0, 3000)
        schema = {'type': 'integer'}
        if self.random.random() < 0.3:
            return schema, lambda: self.random.randint(-10**12, 10**12)
        schema[self.random.choice(['minimum', 'exclusiveMinimum'])] = low
        schema[self.random.choice(['maximum', 'exclusiveMaximum'])] = high + 3
        if self.random.random() < 0.3:
            step = self.random.randint(2, 20)
            schema['multipleOf'] = step
            schema['maximum'] = schema.pop('exclusiveMaximum', high) + 2 * step
            first = (low // step + 1) * step
            return schema, lambda: first
        return schema, lambda: self.random.randint(low + 1, high + 2)

    def make_number(self, _depth):
        low = round(self.random.uniform(-50, 50), 2)
        high = round(low + self.random.uniform(0.5, 100), 2)
        if self.random.random() < 0.3:
            return {'type': 'number'}, lambda: self.random.choice([0, -1.5, 1e30, 2.5e-7, 12345.678])
        schema = {'type': 'number', self.random.choice(['minimum', 'exclusiveMinimum']): low,
                  self.random.choice(['maximum', 'exclusiveMaximum']): high}
        return schema, lambda: round(self.random.uniform(low + 0.01, high - 0.01), 4)

    def make_boolean(self, _depth):
        return {'type': 'boolean'}, lambda: self.random.random() < 0.5

    def make_null(self, _depth):
        return {'type': 'null'}, lambda: None

    def make_enum(self, _depth):
        values = self.random.sample([1, 'a', None, True, 'はい', -2.5, {'k': [1, 'x']}, []], 3)
        if self.random.random() < 0.3:
            return {'const': values[0]}, lambda: values[0]
        return {'enum': values}, lambda: self.random.choice(values)

    def make_pattern(self, _depth):
        pattern, texts = self.random.choice(PATTERNS)
        return {'type': 'string', 'pattern': pattern, 'maxLength': 12}, lambda: self.random.choice(texts)

    def make_format(self, _depth):
        name, text = self.random.choice(list(FORMATS.items()))
        return {'type': 'string', 'format': name}, lambda: text

    def make_types(self, _depth):
        return {'type': ['null', 'string'], 'maxLength': 6}, lambda: self.random.choice([None, '語', ''])

    def make_any(self, _depth):
        return self.random.choice([True, {}]), lambda: self.random.choice([1, 'x', [1, {'y': None}], {}])

    def make_array(self, depth):
        schema, item = self.schema(depth + 1)
        low = self.random.randint(0, 2)
        high = low + self.random.randint(0, 3)
        result = {'type': 'array', 'items': schema, 'minItems': low}
        if self.random.random() < 0.7:
            result['maxItems'] = high
        return result, lambda: [item() for _ in range(self.random.randint(low, high))]

    def make_contains(self, depth):
        item = {'type': 'array', 'items': {'type': 'integer', 'minimum': 0}, 'contains': {'minimum': 50}, 'minItems': 2}
        return item, lambda: [1, 60, self.random.randint(0, 90)]

    def make_tuple(self, depth):
        parts = [self.schema(depth + 1) for _ in range(2)]
        return ({'type': 'array', 'prefixItems': [part[0] for part in parts], 'items': False, 'minItems': 2},
                lambda: [part[1]() for part in parts])

    def make_object(self, depth):
        names = self.random.sample(WORDS, self.random.randint(1, 4))
        parts = {name: self.schema(depth + 1) for name in names}
        required = [name for name in names if self.random.random() < 0.6]
        closed = self.random.random() < 0.6
        schema = {'type': 'object', 'properties': {name: part[0] for name, part in parts.items()}, 'required': required}
        if closed:
            schema['additionalProperties'] = False
            if self.random.random() < 0.3:
                schema['minProperties'] = self.random.randint(0, len(names))

        def make():
            whole = 'minProperties' in schema
            chosen = {name: parts[name][1]() for name in names if whole or name in required or self.random.random() < 0.5}
            if not closed and self.random.random() < 0.5:
                chosen['extra 1'] = [1]
            return chosen
        return schema, make

    def make_map(self, depth):
        schema, value = self.schema(depth + 1)
        if self.random.random() < 0.5:
            return ({'type': 'object', 'patternProperties': {'^x': schema}, 'additionalProperties': {'type': 'null'}},
                    lambda: {'x1': value(), 'other': None})
        return {'type': 'object', 'additionalProperties': schema}, lambda: {'a': value(), 'キー': value()}

    def make_anyOf(self, depth):
        parts = [self.schema(depth + 1) for _ in range(2)]
        return {'anyOf': [part[0] for part in parts]}, lambda: self.random.choice(parts)[1]()

    def make_oneOf(self, depth):
        one, two = self.schema(depth + 1), self.schema(depth + 1)
        branches = [{'type': 'object', 'properties': {'kind': {'const': kind}, 'v': part[0]}, 'required': ['kind', 'v']}
                    for kind, part in (('一', one), ('two', two))]
        return {'oneOf': branches}, lambda: self.random.choice([{'kind': '一', 'v': one[1]()}, {'kind': 'two', 'v': two[1]()}])

    def make_allOf(self, depth):
        schema, value = self.schema(depth + 1)
        return ({'type': 'object', 'allOf': [{'properties': {'a': schema}, 'required': ['a']},
                                             {'properties': {'b': {'type': 'integer'}}, 'required': ['b']}]},
                lambda: {'a': value(), 'b': 3})

    def make_not(self, depth):
        """Values that are not of a schema: by type, by value, by a limit, by what an object has."""
        return self.random.choice([
            ({'not': {'type': ['object', 'array', 'number']}}, lambda: self.random.choice([None, True, 'x', ''])),
            ({'type': ['string', 'null'], 'not': {'enum': ['a', '語', 'x"y']}, 'maxLength': 9},
             lambda: self.random.choice([None, 'ab', '', '語語', 'x'])),
            ({'type': 'integer', 'not': {'enum': [3, 5]}, 'minimum': 0, 'maximum': 99}, lambda: self.random.choice([0, 4, 6, 99])),
            ({'not': {'const': True}, 'type': ['boolean', 'string']}, lambda: self.random.choice([False, 'true'])),
            ({'type': 'string', 'not': {'anyOf': [{'maxLength': 2}, {'minLength': 6}]}}, lambda: self.random.choice(['abc', '語語語語'])),
            ({'type': 'number', 'not': {'minimum': 10, 'maximum': 20}}, lambda: self.random.choice([9.5, 20.5, -3])),
            ({'type': 'object', 'properties': {'a': {'type': 'integer'}, 'b': {'type': 'null'}}, 'additionalProperties': False,
              'not': {'required': ['a', 'b']}}, lambda: self.random.choice([{'a': 1}, {'b': None}, {}])),
            ({'type': 'object', 'properties': {'a': {'enum': ['x', 'y']}, 'b': {'type': 'boolean'}}, 'additionalProperties': False,
              'not': {'properties': {'a': {'const': 'x'}, 'b': {'not': {'const': False}}}, 'required': ['a']}},
             lambda: self.random.choice([{'a': 'y'}, {'b': True}, {'a': 'x', 'b': False}])),
            ({'$defs': {'small': {'maximum': 5}}, 'not': {'$ref': '#/$defs/small'}} if depth == 0 else {'not': {'maximum': 5}},
             lambda: self.random.choice([6, 7.5, 100]))])

    def make_if(self, depth):
        """By the value of a property, by its presence, by type; what follows in any order."""
        (one, make_one), (two, make_two) = self.schema(depth + 1), self.schema(depth + 1)
        kind = self.random.randrange(4)
        if kind == 0:
            return ({'type': 'object', 'properties': {'kind': {'enum': ['p', 'q']}, 'v': True}, 'required': ['kind', 'v'],
                     'additionalProperties': False, 'if': {'properties': {'kind': {'const': 'p'}}},
                     'then': {'properties': {'v': one}}, 'else': {'properties': {'v': two}}},
                    lambda: self.random.choice([{'kind': 'p', 'v': make_one()}, {'kind': 'q', 'v': make_two()}]))
        if kind == 1:
            return ({'type': 'object', 'properties': {'v': one, 'n': {'type': 'integer'}, 'w': {'type': 'boolean'}},
                     'additionalProperties': False, 'if': {'required': ['n'], 'properties': {'n': {'minimum': 10}}},
                     'then': {'required': ['w']}},
                    lambda: self.random.choice([{'n': 11, 'w': True}, {'n': 9}, {}, {'v': make_one()}]))
        if kind == 2:
            return ({'if': {'type': 'string'}, 'then': {'maxLength': 3}, 'else': {'type': ['integer', 'null']}},
                    lambda: self.random.choice(['abc', 5, None, '']))
        return ({'type': 'object', 'properties': {'v': one}, 'if': {'properties': {'v': {'type': ['string', 'null']}}},
                 'else': {'required': ['w']}, 'then': {'maxProperties': 3}},
                lambda: self.random.choice([{}, {'extra': 1}]))

    def make_dependent(self, depth):
        value, make_value = self.schema(depth + 1)
        if self.random.random() < 0.5:
            return ({'type': 'object', 'properties': {'a': value, 'b': {'type': 'integer'}, 'c': {'type': 'null'}},
                     'additionalProperties': False, 'dependentRequired': {'a': ['b'], 'b': ['c']}},
                    lambda: self.random.choice([{}, {'c': None}, {'b': 1, 'c': None}, {'a': make_value(), 'b': 1, 'c': None}]))
        return ({'type': 'object', 'properties': {'a': {'type': 'boolean'}}, 'dependentSchemas': {
            'a': {'properties': {'b': value}, 'required': ['b']}}},
                lambda: self.random.choice([{}, {'a': True, 'b': make_value()}]))

    def make_left(self, depth):
        """What no schema says anything of."""
        value, make_value = self.schema(depth + 1)
        kind = self.random.randrange(3)
        if kind == 0:
            return ({'type': 'object', 'allOf': [{'properties': {'a': value}, 'patternProperties': {'^x': {'type': 'integer'}}}],
                     'properties': {'b': {'type': 'boolean'}}, 'unevaluatedProperties': False},
                    lambda: self.random.choice([{}, {'b': True}, {'a': make_value()}, {'x1': 3}]))
        if kind == 1:
            return ({'type': 'object', 'properties': {'b': {'type': 'boolean'}}, 'unevaluatedProperties': {'type': 'integer'},
                     'allOf': [{'properties': {'c': {'type': 'null'}}}]},
                    lambda: self.random.choice([{'b': True}, {'c': None}]))
        return ({'type': 'array', 'allOf': [{'prefixItems': [value]}], 'prefixItems': [True, {'type': 'null'}][:self.random.randint(1, 2)],
                 'unevaluatedItems': self.random.choice([False, {'type': 'integer'}]), 'maxItems': 4},
                lambda: self.random.choice([[], [make_value()]]))

    def make_ref(self, depth):
        name = f'd{len(self.definitions)}'
        self.definitions[name] = None
        schema, value = self.schema(depth + 1)
        tree = {'type': 'object', 'properties': {'v': schema, 'more': {'type': 'array', 'items': {'$ref': f'#/$defs/{name}'}}},
                'required': ['v'], 'additionalProperties': False}
        self.definitions[name] = tree

        def make(left=2):
            result = {'v': value()}
            if left > 0 and self.random.random() < 0.6:
                result['more'] = [make(left - 1) for _ in range(2)]
            return result
        return {'$ref': f'#/$defs/{name}'}, make

    def whole(self):
        schema, make = self.schema()
        if self.definitions:
            schema = {'$defs': self.definitions, 'allOf': [schema]}
        return schema, make


class Driver:
    def __init__(self, vocabulary):
        self.process = subprocess.Popen([os.environ['GRAMMAR_DRIVER'], vocabulary], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, line):
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().rstrip('\n')

    def grammar(self, kind, text):
        return self.ask(f'G {kind} {text.encode().hex()}')

    def accepts(self, text):
        return self.ask(f'A {text.encode().hex()}') == 'yes'

    def sample(self, seed, budget):
        """The text, or None where the budget is too small for any."""
        answer = self.ask(f'R {seed} {budget}')
        if answer.startswith('short '):
            return None
        if not answer.startswith('text '):
            raise AssertionError(answer)
        return bytes.fromhex(answer[5:]).decode()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def spellings(value):
    yield json.dumps(value, ensure_ascii=False, separators=(',', ':'))
    yield json.dumps(value, ensure_ascii=False)
    yield json.dumps(value, ensure_ascii=False, indent=2)
    yield json.dumps(value, ensure_ascii=False, indent='\t')


@unittest.skipIf(jsonschema is None, 'python3-jsonschema is not installed')
class Judge(unittest.TestCase):

    vocabularies = [os.environ['WOOLLY_BUNDLED_MODEL']]
    n_schemas = int(os.environ.get('GRAMMAR_SCHEMAS', '120'))

    @classmethod
    def setUpClass(cls):
        cls.driver = Driver(cls.vocabularies[0])

    @classmethod
    def tearDownClass(cls):
        cls.driver.close()

    def each_schema(self, first):
        for seed in range(first, first + self.n_schemas):
            schema, make = Maker(seed).whole()
            text = json.dumps(schema, ensure_ascii=False)
            self.assertEqual('ok', self.driver.grammar('json-schema', text), text)
            jsonschema.Draft202012Validator.check_schema(schema)
            yield seed, jsonschema.Draft202012Validator(schema, format_checker=jsonschema.draft202012_format_checker), make, text

    def test_samples_validate(self):
        n_texts = 0
        for seed, validator, _make, text in self.each_schema(0):
            for budget in (3, 12, 40, 120, 300):
                sample = self.driver.sample(seed * 1000 + budget, budget)
                if sample is None:
                    continue
                n_texts += 1
                try:
                    validator.validate(json.loads(sample))
                except (ValueError, jsonschema.ValidationError) as error:
                    self.fail(f'{text}\n{sample!r}\n{error}')
        self.assertGreater(n_texts, 2 * self.n_schemas)

    def test_instances_are_accepted(self):
        for _seed, validator, make, text in self.each_schema(5000):
            for _ in range(4):
                value = make()
                validator.validate(value)
                for spelled in spellings(value):
                    self.assertTrue(self.driver.accepts(spelled), f'{text}\n{spelled}')

    def test_others_are_refused(self):
        """What the validator refuses is never accepted."""
        maker = Maker(1)
        values = [1, -5, 0.5, 'x', '語', None, True, [], [1, 2], {}, {'a': 1}, {'name': None}, {'kind': 'two', 'v': 1}]
        for _seed, validator, _make, text in self.each_schema(9000):
            for value in values + [maker.schema()[1]() for _ in range(5)]:
                if not validator.is_valid(value):
                    self.assertFalse(self.driver.accepts(json.dumps(value, ensure_ascii=False)), f'{text}\n{value}')


if __name__ == '__main__':
    woolly_tap.main()
