#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls of tools and thoughts through D-Bus: the bundled model with chat templates of several families."""
import json
import os
import subprocess
import unittest

from gi.repository import GLib

import gguf_file
import woolly_tap
from real_service import BUNDLED, ERRORS, Failed, RealCase, models_folder, text_of
from woolly_daemon import Stream

try:
    import jsonschema
except ImportError:
    jsonschema = None


def template(call, more=''):
    return ("{% for m in messages %}{% if m.role == 'user' %}{{ '<|user|>' + m.content }}{% elif m.role == 'assistant' %}{{ '<|assistant|>' + "
            "(m.content or '') }}{% for c in m.tool_calls or [] %}" + call + "{% endfor %}{{ eos_token }}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|assistant|>' }}" + more + "{% endif %}")


HERMES = '<tool_call>\n{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}\n</tool_call>\n'
TEMPLATES = {
    'hermes': template(HERMES, '{# <think> #}'),
    'thinking': template(HERMES, '<think>\n'),
    'llama': template('{"name": "{{ c.function.name }}", "parameters": {{ c.function.arguments | tojson }}}'),
    'mistral': template('[TOOL_CALLS][{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}, "id": "{{ c.id }}"}]'),
    'named': template('<|call|>function<|sep|>{{ c.function.name }}\n```json\n{{ c.function.arguments | tojson }}\n```<|done|>'),
    'several': template('{% if loop.first %}<|calls|>{% endif %}<|call|>function<|sep|>{{ c.function.name }}\n```json\n'
                        '{{ c.function.arguments | tojson }}\n```<|done|>{% if loop.last %}<|alldone|>{% endif %}'),
    # arguments between marks, strings as they are; as Python writes them
    'coder': template('\n<tool_call>\n<function={{ c.function.name }}>\n{% for k, v in c.function.arguments.items() %}<parameter={{ k }}>\n'
                      '{{ v if v is string else v | tojson }}\n</parameter>\n{% endfor %}</function>\n</tool_call>', '{# <think> #}'),
    'keys': template('\n<call>{{ c.function.name }}\n{% for k, v in c.function.arguments.items() %}<key>{{ k }}</key>\n<value>'
                     '{{ v }}</value>\n{% endfor %}</call>'),
    'python': template("{{ '<|calls|>[' if loop.first else ', ' }}{{ c.function.name }}({% for k, v in c.function.arguments.items() %}"
                       "{{ ', ' if not loop.first }}{{ k }}={{ \"'\" + v + \"'\" if v is string else v }}{% endfor %}){{ ']<|end|>' if loop.last }}"),
    'granite': template('', '{# <|tool_call|> followed by a JSON list #}'),
    'harmony': template(' to=functions.{{ c.function.name }}<|channel|>commentary json<|message|>{{ c.function.arguments | tojson }}<|call|>',
                        '{# <|channel|>analysis #}'),
}
# one whose opening mark is a control token of the vocabulary
TEMPLATES['control'] = TEMPLATES['hermes']

WEATHER = {'type': 'object', 'properties': {'city': {'type': 'string', 'maxLength': 12}, 'unit': {'enum': ['C', 'F']}},
           'required': ['city', 'unit'], 'additionalProperties': False}
COLOUR = {'properties': {'色': {'enum': ['赤', '青い']}, 'اسم': {'type': 'string', 'pattern': '^[ก-๙]{1,4}$'}},
          'required': ['色', 'اسم'], 'additionalProperties': False}
TOOLS = [{'type': 'function', 'function': {'name': 'get_weather', 'description': 'd', 'parameters': WEATHER}},
         {'type': 'function', 'function': {'name': '色を選ぶ', 'description': 'd', 'parameters': COLOUR}},
         {'type': 'function', 'function': {'name': 'now', 'description': 'd'}}]
SCHEMAS = {'get_weather': WEATHER, '色を選ぶ': COLOUR, 'now': {'type': 'object', 'maxProperties': 0}}


def string(value):
    return GLib.Variant('s', value)


def make_model(name):
    """The bundled model with another template."""
    path = os.path.join(models_folder(), f'tools-{name}.gguf')
    if os.path.exists(path):
        return
    keys, tensors = gguf_file.read(BUNDLED)
    keys['tokenizer.chat_template'] = gguf_file.text(TEMPLATES[name])
    if name == 'control':
        # <|user|> and <|assistant|> keep their places; the last two tokens become the marks
        kind, tokens = keys['tokenizer.ggml.tokens']
        words, at = [], 12
        while at < len(tokens):
            n = int.from_bytes(tokens[at:at + 8], 'little')
            words.append(tokens[at + 8:at + 8 + n])
            at += 8 + n
        words[-2:] = [b'<tool_call>', b'</tool_call>']
        keys['tokenizer.ggml.tokens'] = kind, tokens[:12] + b''.join(map(gguf_file.string, words))
        kind, types = keys['tokenizer.ggml.token_type']
        keys['tokenizer.ggml.token_type'] = kind, types[:-8] + (3).to_bytes(4, 'little') * 2
    gguf_file.write(path, keys, tensors)


@unittest.skipIf(jsonschema is None, 'python3-jsonschema is not installed: nobody judges the texts')
class Tools(RealCase):

    def setUp(self):
        for name in TEMPLATES:
            make_model(name)
        super().setUp()

    def chat(self, model, seed=1, n=160, tools=TOOLS, messages=None, **options):
        """(text, thoughts, calls, result)"""
        conversation = {'messages': messages or [{'role': 'user', 'content': 'Tell me a story.'}]}
        if tools is not None:
            conversation['tools'] = tools
        body = {'conversation': string(json.dumps(conversation, ensure_ascii=False))}
        options = {key.replace('_', '-'): value if isinstance(value, GLib.Variant) else string(value) for key, value in options.items()}
        reply, fds = self.app.call_fds('/org/woolly/Woolly1', 'Manager.Generate', '(sa{sv}a{sv})', (f'tools-{model}', body, {
            'seed': GLib.Variant('t', seed), 'max-tokens': GLib.Variant('u', n), **options}))
        frames = Stream(fds.steal_fds()[0]).all()
        return (text_of(frames), ''.join(value for kind, value in frames if kind == 'reasoning'),
                [value for kind, value in frames if kind == 'tool-call'], self.result(reply[0])[1])

    def check_calls(self, calls, names=SCHEMAS):
        self.assertTrue(calls)
        for call in calls:
            self.assertIn(call['name'], names)
            arguments = json.loads(call['arguments'])
            self.assertIsInstance(arguments, dict)
            jsonschema.Draft202012Validator(SCHEMAS[call['name']]).validate(arguments)
        self.assertEqual(len({call['id'] for call in calls}), len(calls))

    def test_required(self):
        for model in TEMPLATES:
            for seed in range(3):
                text, _thoughts, calls, result = self.chat(model, seed, tool_choice='required')
                self.assertNotIn('error', result, model)
                self.assertEqual(text.strip(), '', model)
                self.check_calls(calls)

    def test_named(self):
        for model in TEMPLATES:
            for name in SCHEMAS:
                text, _thoughts, calls, result = self.chat(model, 5, tool_choice=name)
                self.assertNotIn('error', result, model)
                self.assertEqual(text.strip(), '', model)
                self.check_calls(calls, [name])

    def test_none(self):
        for model in TEMPLATES:
            for seed in range(3):
                text, _thoughts, calls, result = self.chat(model, seed, 60, tool_choice='none')
                self.assertNotIn('error', result, model)
                self.assertEqual(calls, [])
                self.assertNotIn('<tool_call>', text)

    def test_auto(self):
        """Text or calls; and whatever a call begins with, it is one."""
        for model in TEMPLATES:
            text, thoughts, calls, result = self.chat(model, 3, 80, tool_choice='auto')
            self.assertNotIn('error', result, model)
            self.assertTrue(text or thoughts or calls)
            if calls:
                self.check_calls(calls)

    # values of which a text could be told wrongly: required of each is that the schema holds for what is read
    TRICKY = {'type': 'object', 'properties': {
        'a': {'type': 'string', 'maxLength': 6}, 'b': {'anyOf': [{'type': 'string', 'maxLength': 4}, {'type': 'integer', 'minimum': 7, 'maximum': 12}]},
        'c': {'enum': ['1', 'null', True, None, 'x', "it's", 'y</value>', [1]]}, 'd': {'type': ['string', 'null'], 'pattern': '^[0-9tnu\\\\[{"\' ]{1,5}$'},
        'e': {'type': 'array', 'items': {'type': ['string', 'boolean'], 'maxLength': 5}, 'maxItems': 3}, 'f': {'const': '"'},
        'g': {'$ref': '#/$defs/s'}, 'h': {'type': 'object', 'additionalProperties': {'type': 'boolean'}, 'maxProperties': 2}},
        'required': list('abcdefgh'), 'additionalProperties': False, '$defs': {'s': {'type': 'string', 'minLength': 1, 'maxLength': 3}}}

    # what must not be, and what hangs on another argument
    BOUND = {'type': 'object', 'properties': {
        'kind': {'enum': ['p', 'q', '語']}, 'n': {'type': 'integer', 'minimum': 0, 'maximum': 9, 'not': {'enum': [1, 2, 3, 4, 5]}},
        's': {'type': 'string', 'maxLength': 4, 'not': {'anyOf': [{'const': ''}, {'maxLength': 1}]}}},
        'required': ['kind'], 'additionalProperties': False, 'if': {'properties': {'kind': {'const': 'p'}}},
        'then': {'required': ['n']}, 'else': {'required': ['s'], 'not': {'required': ['n']}}}

    def check_arguments(self, schema, seed, model):
        tools = [{'type': 'function', 'function': {'name': 'f', 'parameters': schema}}]
        temperature = GLib.Variant('d', 0.5 + seed % 4)
        text, _thoughts, calls, result = self.chat(model, seed, 400, tools=tools, tool_choice='required', temperature=temperature)
        self.assertNotIn('error', result, (model, seed))
        self.assertEqual(text.strip(), '', (model, seed))
        self.assertTrue(calls)
        for call in calls:
            jsonschema.Draft202012Validator(schema).validate(json.loads(call['arguments']))
        return calls

    def seeds(self):
        return range(2 if self.sanitized() else 8)  # a sanitizer needs less luck, and more time

    def test_tricky_values(self):
        for model in ('hermes', 'coder', 'keys', 'python'):
            for seed in self.seeds():
                self.check_arguments(self.TRICKY, seed, model)

    def test_bound_values(self):
        for model in ('hermes', 'coder', 'keys', 'python'):
            calls = [call for seed in self.seeds() for call in self.check_arguments(self.BOUND, seed, model)]
            if not self.sanitized():
                self.assertGreater(len({json.loads(call['arguments'])['kind'] for call in calls}), 1, model)

    def test_names_that_cannot_be_written(self):
        for model, name in (('coder', 'a b'), ('python', 'a='), ('keys', 'a<')):
            tools = [{'type': 'function', 'function': {'name': 'f', 'parameters': {'type': 'object', 'properties': {name: {}}}}}]
            result = self.chat(model, n=10, tools=tools, tool_choice='auto')[3]
            self.assertEqual(result.get('error'), ERRORS + 'InvalidArgs', model)
            self.assertIn('cannot have an argument of this name', result['message'])
        tools = [{'type': 'function', 'function': {'name': 'f(x)'}}]
        self.assertIn('“f(x)”', self.chat('python', n=10, tools=tools, tool_choice='auto')[3]['message'])

    def test_mark_wanted(self):
        """A model that wants to call: none keeps it from that, and nothing else does."""
        bias = GLib.Variant('a{ud}', {1022: 100.0})
        for choice, expected in (('auto', True), ('required', True), ('now', True), ('none', False)):
            text, thoughts, calls, result = self.chat('control', 2, 40, tool_choice=choice, logit_bias=bias, temperature=GLib.Variant('d', 0))
            self.assertNotIn('error', result)
            self.assertEqual(bool(calls), expected, choice)
            if not expected:
                self.assertTrue(text or thoughts)
                self.assertNotIn('<tool_call>', text)
        calls = self.chat('control', 2, 80, logit_bias=bias, temperature=GLib.Variant('d', 0))[2]
        self.check_calls(calls)

    def test_with_a_form(self):
        """Calls or an answer of a form."""
        schema = '{"type": "array", "items": {"type": "integer", "maximum": 9}, "minItems": 1, "maxItems": 3}'
        for model in ('hermes', 'thinking'):
            for seed in range(3):
                text, _thoughts, calls, result = self.chat(model, seed, 90, tool_choice='auto', json_schema=schema)
                self.assertNotIn('error', result)
                if calls:
                    self.check_calls(calls)
                else:
                    self.assertIsInstance(json.loads(text), list)
                text, _thoughts, calls, result = self.chat(model, seed, 90, tool_choice='none', json_schema=schema)
                self.assertEqual(calls, [])
                self.assertIsInstance(json.loads(text), list)

    def test_schema_that_is_not_supported(self):
        tools = [{'type': 'function', 'function': {'name': 'f', 'parameters': {'type': 'object', '$dynamicRef': '#a'}}}]
        result = self.chat('hermes', tools=tools, n=10)[3]
        self.assertNotIn('error', result)
        result = self.chat('hermes', tools=tools, n=10, tool_choice='auto')[3]
        self.assertEqual(result['error'], ERRORS + 'InvalidArgs')
        self.assertIn('“f”', result['message'])
        self.assertIn('#/$dynamicRef', result['message'])

    def test_refused(self):
        for arguments, words in (
                ({'tool_choice': 'nothing'}, ('tool-choice', '“nothing”')),
                ({'tool_choice': 'required', 'tools': None}, ('tool-choice', 'no tools')),
                ({'tool_choice': 'required', 'json_schema': '{}'}, ('tool-choice',)),
                ({'tool_choice': 'auto', 'json_schema': '{}', 'constrain_after': 'x'}, ('tool-choice', 'constrain-after')),
                ({'tool_choice': 'auto', 'tools': [{'type': 'function', 'function': {}}]}, ('no name',)),
                ({'tool_choice': 'auto', 'tools': [{'type': 'function', 'function': {'name': 'a b'}}]}, ('“a b”',)),
                ({'tool_choice': 'auto', 'tools': [{'function': {'name': 'a', 'parameters': {'type': 'array'}}}]}, ('“a”', '#/type'))):
            result = self.chat('hermes', n=10, **arguments)[3]
            self.assertEqual(result.get('error'), ERRORS + 'InvalidArgs', arguments)
            for word in words:
                self.assertIn(word, result['message'])

    # model: what is written, and how it is taken apart
    FORCED = {
        'hermes': ('<think>\nまず考える… नमस्ते\n</think>\n\nمرحبا 👋 <tool_call>\n{"name": "色を選ぶ", "arguments": {"色": "赤", "n": 2.50}}\n</tool_call>\n'
                   '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>',
                   'まず考える… नमस्ते', 'مرحبا 👋 ', [('色を選ぶ', {'色': '赤', 'n': 2.5}), ('now', {})]),
        'thinking': ('สวัสดี\n</think>\n\n<tool_call>{"name": "f", "arguments": {"город": "Москва \\"}\\""}}</tool_call>',
                     'สวัสดี', '', [('f', {'город': 'Москва "}"'})]),
        'mistral': ('[TOOL_CALLS][{"name": "a", "arguments": {"名": ["京都"]}, "id": "abcdef123"}, {"name": "b", "arguments": {}, "id": "abcdef124"}]',
                    '', '', [('a', {'名': ['京都']}), ('b', {})]),
        'named': ('한국어 <|call|>function<|sep|>get\n```json\n{"도시": "서울"}\n```<|done|>', '', '한국어 ', [('get', {'도시': '서울'})]),
        'coder': ('<think>考</think>\n\nنعم\n<tool_call>\n<function=色を選ぶ>\n<parameter=色>\n"赤"\n5\n</parameter>\n<parameter=n>\n2.50\n</parameter>\n'
                  '</function>\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call>',
                  '考', 'نعم\n', [('色を選ぶ', {'色': '"赤"\n5', 'n': 2.5}), ('now', {})]),
        'keys': ('<call>get\n<key>도시</key>\n<value>서울 </value>\n<key>n</key>\n<value>[1, {"a": null}]</value>\n</call>',
                 '', '', [('get', {'도시': '서울 ', 'n': [1, {'a': None}]})]),
        'python': ("<|calls|>[色を選ぶ(色='赤\\n', n=[True, {'город': None}]), now()]<|end|>", '', '',
                   [('色を選ぶ', {'色': '赤\n', 'n': [True, {'город': None}]}), ('now', {})]),
    }

    def test_frames(self):
        """What a model is made to write, in frames of their own, while it comes."""
        for model, (written, thoughts, text, calls) in self.FORCED.items():
            got = self.chat(model, n=400, choice=GLib.Variant('as', [written]))
            self.assertEqual((got[0], got[1]), (text, thoughts))
            self.assertEqual([(call['name'], json.loads(call['arguments'])) for call in got[2]], calls)
            self.assertEqual(got[3]['reason'], 'stop')
        # without tools a call is text
        written = self.FORCED['named'][0]
        self.assertEqual(self.chat('named', n=400, tools=None, choice=GLib.Variant('as', [written]))[:3], (written, '', []))

    def test_thoughts_come_early(self):
        """Not all at once: before the last of them are computed."""
        body = {'conversation': string('{"messages": [{"role": "user", "content": "?"}]}')}
        _reply, fds = self.app.call_fds('/org/woolly/Woolly1', 'Manager.Generate', '(sa{sv}a{sv})', ('tools-thinking', body, {
            'regex': string('[a-zก-๙ ]{60}</think>no')}))
        frames = Stream(fds.steal_fds()[0]).all()
        self.assertGreater(sum(kind == 'reasoning' for kind, _value in frames), 3)
        self.assertEqual(text_of(frames), 'no')

    def test_go_on(self):
        """An answer that was begun: the model goes on as if it had written it."""
        messages = [{'role': 'user', 'content': 'Tell me a story.'}, {'role': 'assistant', 'content': 'Once upon a'}]
        free = {'temperature': GLib.Variant('d', 0), 'max-tokens': GLib.Variant('u', 20)}
        typed = [{key: string(value) for key, value in message.items()} for message in messages]
        texts = [self.app.manager('GenerateText', '(sa{sv}a{sv})', ('tools-hermes', body, free))[0] for body in (
            {'prompt': string('<|user|>Tell me a story.<|assistant|>Once upon a'), 'special': GLib.Variant('b', True)},
            {'conversation': string(json.dumps({'messages': messages, 'continue_final_message': True}))},
            {'messages': GLib.Variant('aa{sv}', typed), 'continue': GLib.Variant('b', True)},
            {'messages': GLib.Variant('aa{sv}', typed)})]
        self.assertEqual(texts[:2], texts[1:3])
        self.assertTrue(texts[0].startswith(' time'), texts[0])
        self.assertNotEqual(texts[0], texts[3])
        for last in ({'role': string('user'), 'content': string('x')}, {'role': string('assistant'), 'parts': GLib.Variant('as', ['x'])}):
            with self.assertRaises(Failed) as caught:
                self.app.manager('GenerateText', '(sa{sv}a{sv})', ('tools-hermes', {
                    'messages': GLib.Variant('aa{sv}', typed[:1] + [last]), 'continue': GLib.Variant('b', True)}, free))
            self.assertEqual(caught.exception.name, 'InvalidArgs')

    def test_woollyctl(self):
        path = os.path.join(models_folder(), 'conversation.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump({'messages': [{'role': 'user', 'content': '天気は？'}], 'tools': TOOLS}, file)

        def chat(model, *arguments):
            out = subprocess.run([os.environ['WOOLLYCTL'], 'chat', '-m', f'tools-{model}', '--input', path, '--json', *arguments], check=True,
                                 capture_output=True, timeout=120, env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': self.address}).stdout
            return json.loads(out)

        for model, (written, thoughts, text, calls) in self.FORCED.items():
            got = chat(model, '--choice', written, '--max-tokens', '400')
            self.assertEqual((got['text'], got.get('reasoning', '')), (text, thoughts))
            self.assertEqual([(call['name'], json.loads(call['arguments'])) for call in got['tool-calls']], calls)
        for model in ('hermes', 'coder', 'python'):
            got = chat(model, '--tool-choice', '色を選ぶ', '--max-tokens', '120', '--seed', '4')
            self.assertEqual(got['text'].strip(), '')
            self.check_calls(got['tool-calls'], ['色を選ぶ'])


if __name__ == '__main__':
    woolly_tap.main()
