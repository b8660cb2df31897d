#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""woollyctl with the real service, the real workers and the bundled model, on a bus of its own.

The environment is that of `meson devenv`; WOOLLYCTL names the program, WOOLLY_MAKE_MODEL the one that makes models.
"""
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import gi
from gi.repository import Gio, GLib

import gguf_file
import woolly_tap
from private_bus import PrivateBus

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get('WOOLLY_SHARED', os.path.join(ROOT, '..', 'shared'))
PROGRAM = os.environ['WOOLLYCTL']
BUNDLED = os.path.join(ROOT, 'data', 'models', 'woolly-tiny-Q8_0.gguf')
NAME = 'woolly-tiny-Q8_0'
QUESTION = 'Tell me a story about a red ball.'
PROMPT = f'<|user|>{QUESTION}<|assistant|>'
# What the float model says; its two best logits never come close, and its Q8_0 says the same.
STORY = ('Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a '
         'big, red ball. She wanted to play with it')

FOLDER = tempfile.mkdtemp(prefix='woolly-end-to-end-')
LARGE = os.path.join(FOLDER, 'large.gguf')


def setUpModule():
    for name in ('DATA', 'CONFIG', 'STATE', 'CACHE'):
        os.environ[f'XDG_{name}_HOME'] = os.path.join(FOLDER, name.lower())
    subprocess.run([os.environ['WOOLLY_MAKE_MODEL'], '--preset=large', '--context=8192', LARGE],
                   check=True, capture_output=True)
    os.environ['WOOLLY_MODEL_PATH'] = os.path.dirname(BUNDLED)
    PrivateBus().up()


def tearDownModule():
    pid = service_pid()
    if pid:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(f'/proc/{pid}'))
    shutil.rmtree(FOLDER)


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError('it did not come about')
        time.sleep(0.02)


def service_pid():
    bus = Gio.DBusConnection.new_for_address_sync(
        os.environ['DBUS_SESSION_BUS_ADDRESS'],
        Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    try:
        return bus.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                             'GetConnectionUnixProcessID', GLib.Variant('(s)', ('org.woolly.Woolly1',)), None,
                             Gio.DBusCallFlags.NONE, -1, None).unpack()[0]
    except GLib.Error:
        return 0
    finally:
        bus.close_sync()


def workers():
    """Process ids of the workers of this bus's service."""
    pid, found = service_pid(), []
    for path in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(path, encoding='utf-8', errors='replace') as stat:
                name, rest = stat.read().rsplit(')', 1)
        except OSError:
            continue
        if 'woolly-worker' in name and int(rest.split()[1]) == pid:
            found.append(int(path.split('/')[2]))
    return found


class Case(unittest.TestCase):

    def ctl(self, *arguments, stdin=b'', status=0):
        done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, timeout=120)
        self.error = done.stderr.decode()
        self.assertEqual(done.returncode, status, (arguments, done.stdout, self.error))
        return done.stdout.decode()

    def start(self, *arguments):
        process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        return process

    def start_long(self):
        """A generation that goes on for minutes if nobody ends it, after its first text."""
        process = self.start('run', '-m', LARGE, '--raw', '--ignore-end', '--max-tokens', '8000', 'Once')
        self.assertNotEqual(process.stdout.read(1), b'', 'it says something')
        return process

    def queue_is_empty(self):
        return all(model['queue-length'] == 0 for model in json.loads(self.ctl('ps', '--json')))


class Text(Case):

    def test_question(self):
        self.assertEqual(self.ctl('run', '--temperature', '0', '--max-tokens', '40', QUESTION), STORY + '\n')

    def test_raw(self):
        out = self.ctl('run', '-m', NAME, '--raw', '--special', '--temperature', '0', '--max-tokens', '40', PROMPT)
        self.assertEqual(out, STORY + '\n')

    def test_file(self):
        self.assertEqual(self.ctl('run', '-m', BUNDLED, '--temperature', '0', '--max-tokens', '40', QUESTION), STORY + '\n')

    def test_standard_input(self):
        for arguments in ((), ('-',)):
            out = self.ctl('run', '--temperature', '0', '--max-tokens', '40', *arguments, stdin=QUESTION.encode() + b'\n')
            self.assertEqual(out, STORY + '\n')

    def test_json(self):
        answer = json.loads(self.ctl('run', '--json', '--temperature', '0', '--max-tokens', '40', QUESTION))
        self.assertEqual((answer['text'], answer['tokens-out'], answer['reason']), (STORY, 40, 'length'))
        self.assertEqual(answer['device'], 'cpu')
        self.assertGreater(answer['tokens-in'], 5)

    def test_seed(self):
        first = json.loads(self.ctl('run', '--json', '--max-tokens', '30', QUESTION))
        again = self.ctl('run', '--seed', str(first['seed']), '--max-tokens', '30', QUESTION)
        self.assertEqual(again.rstrip('\n'), first['text'].rstrip('\n'))

    def test_stop(self):
        self.assertEqual(self.ctl('run', '--temperature', '0', '--stop', ' Lily', QUESTION),
                         STORY[:STORY.index(' Lily')] + '\n')

    def test_structured(self):
        schema, grammar = os.path.join(FOLDER, 'schema.json'), os.path.join(FOLDER, 'text.gbnf')
        with open(schema, 'w', encoding='utf-8') as file:
            file.write('{"type":"object","properties":{"色":{"enum":["赤","青"]}},"required":["色"],"additionalProperties":false}')
        with open(grammar, 'w', encoding='utf-8') as file:
            file.write('root ::= "red " ("ball" | "dog") "."\n')
        self.assertIn(json.loads(self.ctl('run', '--json-schema', schema, QUESTION))['色'], ('赤', '青'))
        self.assertIn(self.ctl('run', '--grammar', grammar, QUESTION), ('red ball.\n', 'red dog.\n'))
        self.assertRegex(self.ctl('run', '--regex', '[a-z]{3}', QUESTION), r'^[a-z]{3}\n$')
        self.assertIn(self.ctl('run', '--choice', 'نعم', '--choice', 'لا', QUESTION), ('نعم\n', 'لا\n'))
        self.ctl('run', '--json-schema', os.path.join(FOLDER, 'none.json'), QUESTION, status=2)
        self.assertIn('none.json', self.error)
        self.ctl('run', '--regex', '(', QUESTION, status=1)
        self.assertIn('regex', self.error)

    def test_chat(self):
        out = self.ctl('chat', '--temperature', '0', '--max-tokens', '40', stdin=QUESTION.encode() + b'\n')
        self.assertEqual(out, STORY + '\n')
        out = self.ctl('chat', '--temperature', '0', '--max-tokens', '40', stdin=QUESTION.encode() + b'\n/reset\n'
                       + QUESTION.encode() + b'\n')
        self.assertEqual(out, (STORY + '\n') * 2)

    def test_context_is_full(self):
        self.ctl('chat', '--context', '32', stdin=QUESTION.encode() * 20, status=1)
        self.assertIn('context', self.error)


class Reference(Case):
    """The data beside the tree, where it is there."""

    def setUp(self):
        if not os.path.isdir(os.path.join(SHARED, 'data')):
            self.skipTest(f'{SHARED} is not there')

    def test_greedy(self):
        for path in sorted(glob.glob(f'{SHARED}/data/models/*.greedy.txt')):
            with open(path, encoding='utf-8') as file:
                prompt, text = file.read().split('\n', 1)
            with self.subTest(path):
                out = self.ctl('run', '-m', path.replace('.greedy.txt', '.gguf'), '--raw', '--special', '--temperature',
                               '0', '--max-tokens', '96', prompt)
                self.assertEqual(out.rstrip('\n'), text.rstrip('\n'))

    def test_tokens(self):
        with open(f'{SHARED}/data/vocabs/torture.txt', 'rb') as file:
            texts = file.read()
        for path in sorted(glob.glob(f'{SHARED}/data/vocabs/*.torture')):
            with open(path, encoding='utf-8') as file:
                wanted = file.read()
            with self.subTest(path):
                out = self.ctl('tokenize', '-0', '-m', path.replace('.torture', '.gguf'), stdin=texts)
                self.assertEqual(out, wanted)


class Tables(Case):

    def test_list_and_info(self):
        models = json.loads(self.ctl('list', '--json'))
        self.assertEqual([model['id'] for model in models], [NAME])
        self.assertEqual((models[0]['architecture'], models[0]['quantization']), ('llama', 'Q8_0'))
        self.assertEqual(models[0]['size'], os.path.getsize(BUNDLED))
        self.assertIn(BUNDLED, self.ctl('info', NAME))
        info = json.loads(self.ctl('info', '--json'))
        self.assertTrue(info['estimate']['fits'])
        self.assertGreater(info['estimate']['weights-bytes'], 3 << 20)

    def test_info_of_the_header(self):
        said = {'organization': 'The Shepherds', 'description': 'Counts sheep', 'url': 'https://woolly.example/', 'license': 'mit'}
        keys, tensors = gguf_file.read(BUNDLED)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'said.gguf')
            gguf_file.write(path, {**keys, **{f'general.{key}': gguf_file.text(value) for key, value in said.items()}}, tensors)
            out = self.ctl('info', path)
            info = json.loads(self.ctl('info', '--json', path))
        self.assertEqual({key: info[key] for key in said}, said)
        for value in said.values():
            self.assertIn(value, out)
        self.assertNotIn('Organization', self.ctl('info', NAME))  # the bundled one says nothing of it

    def test_info_of_a_broken_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'broken.gguf')
            with open(BUNDLED, 'rb') as whole, open(path, 'wb') as broken:
                broken.write(whole.read(1000))
            self.assertRegex(self.ctl('info', path, status=1), r'State: +failed')
            self.assertRegex(self.error, r'^woollyctl: .+')
            self.assertEqual(json.loads(self.ctl('info', '--json', path, status=1))['state'], 'failed')
            self.assertRegex(self.error, r'^woollyctl: .+')

    def test_load_ps_unload(self):
        self.assertEqual(self.ctl('load', NAME), '')
        model = [row for row in json.loads(self.ctl('ps', '--json')) if row['id'] == NAME][0]
        self.assertEqual((model['state'], model['device']), ('ready', 'cpu'))
        self.assertGreater(model['memory-in-use'], 1 << 20)
        self.assertEqual(self.ctl('unload', NAME), '')
        wait_for(lambda: NAME not in [row['id'] for row in json.loads(self.ctl('ps', '--json')) if row['state'] == 'ready'])

    def test_plugins_and_devices(self):
        plugins = {row['name']: row for row in json.loads(self.ctl('plugins', '--json'))}
        self.assertEqual((plugins['llama']['state'], plugins['llama']['kind']), ('usable', 'arch'))
        self.assertIn('llama', plugins['llama']['architectures'])
        self.assertEqual((plugins['cpu']['state'], plugins['cpu']['kind']), ('usable', 'backend'))
        self.assertEqual(json.loads(self.ctl('devices', '--json'))[0]['id'], 'cpu')

    def test_tokenize(self):
        lines = self.ctl('tokenize', '-0', '-m', BUNDLED, stdin=b'Once upon\0\0 a time\n').splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines[1], '')
        self.assertRegex(lines[0], r'^\d+( \d+)*$')
        self.assertEqual(len(self.ctl('tokenize', '--special', stdin=b'<|user|>').split()), 1)
        self.assertGreater(len(self.ctl('tokenize', stdin=b'<|user|>').split()), 1)

    def test_render(self):
        conversation = {'messages': [{'role': 'user', 'content': 'Grüße <|user|> नमस्ते'}], 'tools': [{'z': 1, 'a': [None, 2.5]}]}
        source = os.path.join(FOLDER, 'chat.jinja')
        with open(source, 'w', encoding='utf-8') as file:
            file.write('{%- macro line(m, end="!") -%}\n<{{ m.role }}>{{ m.content }}{{ end }}\n{%- endmacro -%}\n'
                       '{% for m in messages %}{{ line(m, end=eos_token) }}{% endfor %}{{ tools | tojson }}\n\n'
                       '{% if refuse %}{{ raise_exception("not today") }}{% endif %}')
        given = json.dumps(dict(conversation, eos_token='</s>'), ensure_ascii=False).encode()
        expected = '<user>Grüße <|user|> नमस्ते</s>[{"z": 1, "a": [null, 2.5]}]\n\n'
        self.assertEqual(self.ctl('render', '--template', source, '--input', '-', stdin=given), expected)
        self.ctl('render', '--template', source, '--input', '-', stdin=json.dumps(dict(conversation, refuse=True)).encode(), status=1)
        self.ctl('render', '--template', source, '--input', '-', stdin=b'{"messages": 1}', status=1)
        self.ctl('render', '--template', source, status=2)
        # the bundled model's own template
        self.assertEqual(self.ctl('render', '-m', BUNDLED, '--input', '-', stdin=given), '<|user|>Grüße <|user|> नमस्ते<|assistant|>')

    def test_render_to_go_on(self):
        """The text of the last answer ends it, white space and all, by a loose template as by the model's."""
        answer = {'role': 'assistant', 'content': 'Es war <|user|> नम '}
        given = {'messages': [{'role': 'user', 'content': 'go'}, answer], 'add_generation_prompt': True}
        source = os.path.join(FOLDER, 'continue.jinja')
        with open(source, 'w', encoding='utf-8') as file:
            file.write('{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}'
                       '{% if add_generation_prompt %}<|assistant|>{% endif %}')
        for where in (['--template', source], ['-m', BUNDLED]):
            for go_on in (True, False):
                stdin = json.dumps(dict(given, continue_final_message=go_on)).encode()
                text = self.ctl('render', *where, '--input', '-', stdin=stdin)
                self.assertTrue(text.startswith('<|user|>go'), text)
                self.assertEqual(text.endswith('<|assistant|>Es war <|user|> नम '), go_on, text)
                self.assertEqual(text.endswith('<|assistant|>'), not go_on, text)
            for last in ({'role': 'user', 'content': 'x'}, {'role': 'assistant', 'content': [{'type': 'text', 'text': 'x'}]}):
                stdin = json.dumps({'messages': [last], 'continue_final_message': True}).encode()
                self.ctl('render', *where, '--input', '-', stdin=stdin, status=1)
        with open(source, 'w', encoding='utf-8') as file:
            file.write('{{ messages[0].content }}')
        self.ctl('render', '--template', source, '--input', '-', status=1,
                 stdin=json.dumps(dict(given, continue_final_message=True)).encode())

    def test_import_and_remove(self):
        copy = os.path.join(FOLDER, 'a copy.gguf')
        shutil.copy(BUNDLED, copy)
        name = self.ctl('import', copy).strip()
        os.unlink(copy)
        self.assertIn(name, [model['id'] for model in json.loads(self.ctl('list', '--json'))])
        self.assertEqual(self.ctl('run', '-m', name, '--temperature', '0', '--max-tokens', '40', QUESTION), STORY + '\n')
        self.ctl('remove', name)
        self.assertNotIn(name, [model['id'] for model in json.loads(self.ctl('list', '--json'))])
        self.ctl('remove', NAME, status=1)
        self.assertTrue(os.path.exists(BUNDLED), 'what is elsewhere is not touched')


class Failures(Case):

    def tearDown(self):
        self.assertEqual(self.ctl('run', '--temperature', '0', '--max-tokens', '40', QUESTION), STORY + '\n',
                         'whatever happened, the next request works')

    def test_unknown_model(self):
        self.ctl('run', '-m', 'woolly-tiny', 'x', status=1)
        self.assertIn(NAME, self.error)

    def test_bad_text(self):
        for stdin, part in ((b'ab\xff', 'UTF-8'), (b'a\0b', 'NUL')):
            self.ctl('run', '--raw', stdin=stdin, status=1)
            self.assertIn(part, self.error)

    def test_damaged_files(self):
        """Cut short, or with bytes changed: an error, or a text, and the service goes on."""
        with open(BUNDLED, 'rb') as file:
            whole = file.read()
        chance = random.Random(20261123)
        pid = None
        for i in range(24):
            data = bytearray(whole)
            if i % 2 == 0:
                del data[chance.randrange(len(data)):]
            else:
                for _ in range(chance.choice((1, 16, 1000))):
                    data[chance.randrange(min(len(data), 80000))] = chance.randrange(256)
            path = os.path.join(FOLDER, 'damaged.gguf')
            with open(path, 'wb') as file:
                file.write(data)
            done = subprocess.run([PROGRAM, 'run', '-m', path, '--raw', '--max-tokens', '4', 'x'], capture_output=True,
                                  timeout=60)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            self.assertTrue(done.returncode == 0 or done.stderr.startswith(b'woollyctl: '), done.stderr)
            pid = pid or service_pid()
            self.assertEqual(service_pid(), pid, 'the service is the same')

    def test_no_model(self):
        for path in ('/dev/null', FOLDER, __file__):
            self.ctl('run', '-m', path, 'x', status=1)

    def test_interrupt(self):
        process = self.start_long()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
        self.assertEqual((process.returncode, error), (130, b''))
        wait_for(self.queue_is_empty)

    def test_client_is_killed(self):
        process = self.start_long()
        process.kill()
        process.wait()
        wait_for(self.queue_is_empty)

    def test_reader_goes_away(self):
        process = self.start_long()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=30), -signal.SIGPIPE)
        wait_for(self.queue_is_empty)

    def test_worker_is_killed(self):
        before = set(workers())
        process = self.start_long()
        for pid in set(workers()) - before:
            os.kill(pid, signal.SIGKILL)
        _, error = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b'worker', error)

    def test_service_is_killed(self):
        process = self.start_long()
        pids = workers()
        os.kill(service_pid(), signal.SIGKILL)
        _, error = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1)
        self.assertNotEqual(error, b'')
        wait_for(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in pids))


if __name__ == '__main__':
    woolly_tap.main()
