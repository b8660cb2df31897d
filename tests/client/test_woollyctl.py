#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""woollyctl as a person and a script run it, against a service that answers in known ways (fake_woollyd.py).

WOOLLYCTL: the program. WOOLLY_COMPLETION: the completion of bash.
"""
import json
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import time
import unittest

import woolly_tap
from private_bus import PrivateBus

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.environ['WOOLLYCTL']
VERBS = ['run', 'chat', 'list', 'ps', 'info', 'load', 'unload', 'tokenize', 'render', 'embed', 'rerank', 'plugins', 'devices', 'import',
         'remove', 'status']

PrivateBus().up()
os.environ['WOOLLY_DAEMON'] = os.path.join(HERE, 'fake_woollyd.py')


def option_keys(scope):
    with open(os.path.join(ROOT, 'introspection', 'woolly-options.def'), encoding='utf-8') as table:
        return re.findall(rf'^WOOLLY_OPTION \({scope}, "([\w-]+)"', table.read(), re.MULTILINE)


class Case(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        subprocess.run([PROGRAM, 'list'], check=True, capture_output=True, timeout=60)

    def ctl(self, *arguments, stdin=b'', status=0, env=None):
        done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, timeout=60,
                              env=dict(os.environ, **(env or {})))
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        self.error = done.stderr.decode()
        if status == 0:
            self.assertEqual(self.error, '')
        return done.stdout.decode()

    def calls(self):
        out = subprocess.run(['gdbus', 'call', '--session', '--dest', 'org.woolly.Woolly1', '--object-path',
                              '/org/woolly/Test', '--method', 'org.woolly.Test.GetCalls'],
                             check=True, capture_output=True, text=True).stdout
        return re.findall(r"'([^']*)'", out)

    def wait_for_call(self, name, before):
        end = time.monotonic() + 20
        while self.calls().count(name) <= before:
            self.assertLess(time.monotonic(), end, f'{name} was not called')
            time.sleep(0.02)


class Usage(Case):

    def test_help(self):
        out = self.ctl('--help')
        for verb in VERBS:
            self.assertRegex(out, rf'(?m)^  {verb} ')
            self.assertIn(f'woollyctl {verb} [OPTION', self.ctl(verb, '--help'))
            self.assertEqual(self.ctl('help', verb), self.ctl(verb, '--help'))

    def test_version(self):
        self.assertRegex(self.ctl('--version'), r'^woollyctl \d+\.\d+\.\d+\n$')

    def test_every_key_is_an_option(self):
        for verb, scopes in (('run', ['GENERATE']), ('chat', ['GENERATE', 'SESSION']), ('load', ['LOAD'])):
            out = self.ctl(verb, '--help')
            for scope in scopes:
                for key in option_keys(scope):
                    if key not in ('stream', 'timeout-ms'):
                        self.assertIn(f'--{key}', out, f'{verb}: {scope}')

    def test_wrong_command_lines(self):
        for arguments, part in (
                ([], 'no verb'), (['lits'], 'did you mean “list”?'), (['xyzzyxyzzy'], 'there is no verb'),
                (['run', '--temperatur', '1', 'x'], 'temperatur'), (['run', '--temperature', '10.5', 'x'], '0 to 10'),
                (['run', '--temperature', 'nan', 'x'], 'number'), (['run', '--temperature', 'inf', 'x'], 'number'),
                (['run', '--temperature', '1x', 'x'], 'number'), (['run', '--temperature', '', 'x'], 'number'),
                (['run', '--max-tokens', '0', 'x'], '1 to 1048576'), (['run', '--max-tokens', '-1', 'x'], 'whole'),
                (['run', '--max-tokens', '1.5', 'x'], 'whole'),
                (['run', '--seed', '9007199254740992', 'x'], '9007199254740991'),
                (['run', '--priority', 'high', 'x'], 'background'), (['run', '--stop', b'\xff', 'x'], 'UTF-8'),
                (['run', 'two', 'words'], 'quotes'), (['run', '--special', 'x'], '--raw'),
                (['run', '--max-tokens'], 'max-tokens'), (['info', 'a', 'b'], 'too many'), (['unload'], 'missing'),
                (['list', 'x'], 'too many'), (['chat', '--kv-type', 'f64'], 'f16')):
            with self.subTest(arguments):
                self.assertEqual(self.ctl(*arguments, status=2), '')
                self.assertIn(part, self.error)

    def test_no_bus(self):
        for env in ({'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nowhere'}, {'DBUS_SESSION_BUS_ADDRESS': 'nonsense'}):
            self.ctl('list', status=1, env=env)
            self.assertIn('dbus-run-session', self.error)

    def test_no_service(self):
        self.ctl('list', status=1, env={'WOOLLY_DAEMON': '/nowhere/woollyd', **self.other_bus()})
        self.assertIn('/nowhere/woollyd', self.error)
        self.ctl('list', status=1, env={'WOOLLY_DAEMON': '', **self.other_bus()})
        self.assertIn('could not be started', self.error)

    def other_bus(self):
        mine = os.environ['DBUS_SESSION_BUS_ADDRESS']
        other = PrivateBus().up().address
        os.environ['DBUS_SESSION_BUS_ADDRESS'] = mine
        return {'DBUS_SESSION_BUS_ADDRESS': other}

    @unittest.skipUnless(os.environ.get('WOOLLY_COMPLETION'), 'completions are not built')
    def test_completion(self):
        def complete(*words):
            script = (f'source "{os.environ["WOOLLY_COMPLETION"]}"; COMP_WORDS=({" ".join(words)}); '
                      f'COMP_CWORD={len(words) - 1}; _woollyctl; printf "%s\\n" "${{COMPREPLY[@]}}"')
            path = os.path.dirname(PROGRAM) + ':' + os.environ['PATH']
            out = subprocess.run(['bash', '-c', script], capture_output=True, text=True, check=True,
                                 env=dict(os.environ, PATH=path)).stdout
            return out.split()
        self.assertEqual(sorted(complete('woollyctl', '""')), sorted(VERBS))
        self.assertEqual(complete('woollyctl', 'pl'), ['plugins'])
        self.assertIn('--max-tokens', complete('woollyctl', 'run', '--max'))
        self.assertEqual(complete('woollyctl', 'run', '-m', 'al'), ['alpha'])


class Run(Case):

    def test_text_alone(self):
        self.assertEqual(self.ctl('run', '--raw', 'one  two\tthree'), 'one  two\tthree\n')
        self.assertEqual(self.ctl('run', '--raw', 'a line\n'), 'a line\n', 'no second newline')
        self.assertEqual(self.ctl('run', 'hello'), '<user>hello\n', 'through the template')

    def test_prompt_from_standard_input(self):
        for arguments in ([], ['-']):
            self.assertEqual(self.ctl('run', '--raw', *arguments, stdin='grün\n'.encode()), 'grün\n')
        big = 'x' * (3 << 20)
        self.assertEqual(self.ctl('run', '--raw', stdin=big.encode()), big + '\n')

    def test_options_arrive(self):
        self.assertEqual(self.ctl('run', '--raw', '--max-tokens', '2', 'a b c d'), 'a b\n')
        answer = json.loads(self.ctl('run', '--raw', '--json', '--seed=9007199254740991', 'a b'))
        self.assertEqual((answer['text'], answer['seed'], answer['reason']), ('a b', 9007199254740991, 'stop'))
        self.assertEqual(list(answer)[0], 'text')

    def test_failures(self):
        for prompt, text, part in (('!error', 'some \n', 'no room is left'), ('!die', 'some \n', 'the worker died'),
                                   ('!large', 'some \n', 'damaged')):
            self.assertEqual(self.ctl('run', '--raw', prompt, status=1), text, 'what came before stays')
            self.assertIn(part, self.error)
        self.ctl('run', '--raw', '!busy', status=1)
        self.assertIn('too many generations', self.error)
        answer = json.loads(self.ctl('run', '--raw', '--json', '!die', status=1))
        self.assertEqual((answer['text'], answer['error']), ('some ', 'org.woolly.Error.WorkerLost'))

    def test_bad_text(self):
        self.ctl('run', b'ab\xff', status=1)
        self.assertIn('UTF-8 at byte 2', self.error)
        self.ctl('run', stdin=b'a\0b', status=1)
        self.assertIn('NUL at byte 1', self.error)

    def test_models(self):
        self.ctl('run', '-m', 'alpa', 'x', status=1)
        self.assertIn("did you mean 'alpha'?", self.error)
        self.ctl('run', '-m', './nothing.gguf', 'x', status=1)
        self.assertIn('./nothing.gguf', self.error)
        with tempfile.NamedTemporaryFile(suffix='.gguf') as file:
            file.write(b'GGUF')
            file.flush()
            self.assertEqual(self.ctl('run', '-m', file.name, '--raw', 'x'), 'x\n')
        self.ctl('run', '-m', __file__, 'x', status=1)
        self.assertIn('no GGUF', self.error)
        self.assertEqual(self.ctl('run', '-m', '/org/woolly/Woolly1/models/beta', '--raw', 'x'), 'x\n')

    def test_pipe_gets_the_bytes(self):
        self.assertIn('\x1b[31m', self.ctl('run', '--raw', '!escape'))
        self.assertEqual(self.ctl('run', '--raw', '!progress'), '!progress\n')

    def test_interrupt(self):
        before = self.calls().count('Generation.Cancel')
        process = subprocess.Popen([PROGRAM, 'run', '--raw', '!slow'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(process.stdout.read(4), b'0 1 ')
        process.send_signal(signal.SIGINT)
        rest, error = process.communicate(timeout=20)
        self.assertEqual((process.returncode, error), (130, b''))
        self.assertRegex((b'0 1 ' + rest).decode(), r'^0 1 (\d+ )*\n$')
        self.wait_for_call('Generation.Cancel', before)

    def test_terminated(self):
        process = subprocess.Popen([PROGRAM, 'run', '--raw', '!slow'], stdout=subprocess.PIPE)
        process.stdout.read(4)
        process.terminate()
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 143)

    def test_killed(self):
        before = self.calls().count('hung-up')
        process = subprocess.Popen([PROGRAM, 'run', '--raw', '!slow'], stdout=subprocess.PIPE)
        process.stdout.read(4)
        process.kill()
        process.communicate(timeout=20)
        self.wait_for_call('hung-up', before)

    def test_reader_goes_away(self):
        before = self.calls().count('hung-up')
        process = subprocess.Popen([PROGRAM, 'run', '--raw', '!slow'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   restore_signals=True)
        process.stdout.read(4)
        process.stdout.close()
        self.assertEqual(process.wait(timeout=20), -signal.SIGPIPE)
        self.assertEqual(process.stderr.read(), b'')
        process.stderr.close()
        self.wait_for_call('hung-up', before)

    def test_full_disk(self):
        with open('/dev/full', 'wb') as full:
            done = subprocess.run([PROGRAM, 'run', '--raw', 'x'], stdout=full, stderr=subprocess.PIPE, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'cannot be written', done.stderr)


class Terminal(Case):
    """In a pseudo-terminal, as a person sees it."""

    def start(self, *arguments):
        pid, fd = pty.fork()
        if pid == 0:
            os.environ.update(TERM='xterm', LC_ALL='C.UTF-8')
            os.execv(PROGRAM, [PROGRAM, *arguments])
        self.addCleanup(os.close, fd)
        return pid, fd

    def read_until(self, fd, condition):
        data, end = b'', time.monotonic() + 20
        while not condition(data) and time.monotonic() < end:
            if not select.select([fd], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            data += piece
        return data.decode().replace('\r\n', '\n')

    def status_of(self, pid):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done == pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return 'did not end'

    def see(self, *arguments):
        pid, fd = self.start(*arguments)
        data = self.read_until(fd, lambda _: False)
        return data, self.status_of(pid)

    def test_control_sequences_are_taken_out(self):
        self.assertEqual(self.see('run', '--raw', '!escape'), ('aredbc\td\n', 0))

    def test_progress(self):
        data, status = self.see('run', '--raw', '!progress now')
        self.assertEqual(status, 0)
        self.assertIn('Loading the model [............', data)
        self.assertIn('] 100 %', data)
        self.assertIn('Reading the prompt', data)
        self.assertTrue(data.endswith('\r\x1b[K!progress now\n'), data)

    def test_ctrl_c(self):
        before = self.calls().count('Generation.Cancel')
        pid, fd = self.start('run', '--raw', '!slow')
        first = self.read_until(fd, lambda data: b'3 ' in data)
        os.write(fd, b'\x03')
        rest = self.read_until(fd, lambda _: False)
        self.assertEqual(self.status_of(pid), 130)
        self.assertTrue((first + rest).startswith('0 1 2 3 '), first + rest)
        self.wait_for_call('Generation.Cancel', before)

    def test_chat(self):
        """Each step waits for the prompt: what is typed before it may be lost when the line editor takes the terminal."""
        def prompted(data):
            return data.endswith(b'> ')
        pid, fd = self.start('chat')
        self.read_until(fd, prompted)
        os.write(fd, 'grün\n'.encode())
        self.assertIn('\n<user>grün\n', self.read_until(fd, prompted))

        os.write(fd, b'!slow\n')
        self.read_until(fd, lambda data: b'2 ' in data)
        os.write(fd, b'\x03')  # ends the answer …
        self.assertTrue(self.read_until(fd, prompted).endswith('\n> '))
        os.write(fd, b'half a line')
        self.read_until(fd, lambda data: b'half a line' in data)
        os.write(fd, b'\x03')  # … and a line
        self.read_until(fd, prompted)
        os.write(fd, b'/reset\n')
        self.read_until(fd, prompted)
        os.write(fd, b'/help\n')
        self.assertIn('/quit', self.read_until(fd, prompted))
        os.write(fd, b'/nonsense\n')
        self.assertIn('no command “/nonsense”', self.read_until(fd, prompted))
        os.write(fd, b'\x04')
        self.read_until(fd, lambda _: False)
        self.assertEqual(self.status_of(pid), 0)


class Chat(Case):

    def test_lines_from_a_pipe(self):
        self.assertEqual(self.ctl('chat', stdin='hello\n\n//slash\ngrün'.encode()), '<user>hello\n<user>/slash\n<user>grün\n')
        self.assertEqual(self.ctl('chat', stdin=b'hello\n/quit\nnever\n'), '<user>hello\n')
        self.assertEqual(self.ctl('chat', stdin=b''), '')

    def test_failure(self):
        self.assertEqual(self.ctl('chat', stdin=b'!error\nhello\n', status=1), 'some \n')
        self.assertIn('no room is left', self.error)

    def test_closes_its_session(self):
        before = self.calls().count('Session.Close')
        self.ctl('chat', stdin=b'hello\n')
        self.assertEqual(self.calls().count('Session.Close'), before + 1)


class Tokenize(Case):

    def test_one_text(self):
        self.assertEqual(self.ctl('tokenize', '-m', 'alpha', stdin=b'ab\n'), '97 98 10\n')
        self.assertEqual(self.ctl('tokenize', stdin=b''), '\n')

    def test_texts_separated_by_nul(self):
        self.assertEqual(self.ctl('tokenize', '-0', stdin=b'ab\0\0c\n'), '97 98\n\n99 10\n')

    def test_bad_text(self):
        self.ctl('tokenize', stdin=b'a\0b', status=1)
        self.assertIn('NUL', self.error)
        self.assertEqual(self.ctl('tokenize', '-0', stdin=b'a\0\xff\0b', status=1), '97\n')
        self.assertIn('text 2: ', self.error)


class Tables(Case):

    def test_list(self):
        rows = self.ctl('list').splitlines()
        self.assertRegex(rows[0], r'^MODEL +ARCHITECTURE +PARAMETERS')
        self.assertRegex(rows[1], r'^alpha +llama +7\.0 B +Q8_0 +8\.0.GB +4096 ')
        models = json.loads(self.ctl('list', '--json'))
        self.assertEqual(models[0]['id'], 'alpha')
        self.assertEqual(models[0]['parameters'], 7000000000)
        self.assertEqual(models[0]['files'], ['/models/alpha.gguf'])

    def test_load_ps_unload(self):
        self.assertEqual(self.ctl('load', 'beta'), '')
        row = [line for line in self.ctl('ps').splitlines() if line.startswith('beta')][0]
        self.assertRegex(row, r'ready +12\.3.MB +cpu +0 +editor \(sessions 2, generations 1, holds 0\)')
        model = [row for row in json.loads(self.ctl('ps', '--json')) if row['id'] == 'beta'][0]
        self.assertEqual((model['memory-in-use'], model['users'][0]['app']), (12345678, 'editor'))
        self.ctl('unload', 'beta', status=1)
        self.assertIn('generates', self.error)
        self.assertEqual(self.ctl('unload', '--force', 'beta'), '')
        self.assertNotIn('beta', self.ctl('ps'))

    def test_load_with_options(self):
        self.ctl('load', 'alpha', '--activations', 'f32')
        self.ctl('load', 'alpha', '--context', '100', status=1)
        self.assertIn('context', self.error)

    def test_info(self):
        out = self.ctl('info', 'alpha')
        self.assertNotIn('\x1b', out)
        for part in ('alpha', '/models/alpha.gguf', 'llama', 'mit', 'The Shepherds', 'sheep', 'https://woolly.example/', '4096', '256', 'generate, chat'):
            self.assertIn(part, out)
        info = json.loads(self.ctl('info', '--json', 'alpha'))
        self.assertEqual((info['estimate']['fits'], info['license']), (True, 'mit'))

    def test_plugins_and_devices(self):
        self.assertRegex(self.ctl('plugins'), r'refused +/p/old\.so +ABI 0 is not ABI 1')
        self.assertEqual(json.loads(self.ctl('plugins', '--json'))[0]['architectures'], ['llama'])
        self.assertIn('A processor', self.ctl('devices'))
        self.assertEqual(json.loads(self.ctl('devices', '--json'))[0]['memory-total'], 1 << 34)

    def test_status_starts_nothing(self):
        self.assertIn('9.8.7', self.start_and('status'))
        status = json.loads(self.ctl('status', '--json'))
        self.assertEqual((status['running'], status['memory-budget']), (True, 4000000))
        subprocess.run(['gdbus', 'call', '--session', '--dest', 'org.woolly.Woolly1', '--object-path', '/org/woolly/Test',
                        '--method', 'org.woolly.Test.Exit'], check=True, capture_output=True)
        end = time.monotonic() + 20
        while 'does not run' not in self.ctl('status'):
            self.assertLess(time.monotonic(), end)
        self.assertEqual(json.loads(self.ctl('status', '--json')), {'running': False})
        self.assertEqual(json.loads(self.ctl('ps', '--json')), [])

    def start_and(self, *arguments):
        self.ctl('list')
        return self.ctl(*arguments)

    def test_import_and_remove(self):
        with tempfile.NamedTemporaryFile(suffix='.gguf') as file:
            file.write(b'GGUF' * 100)
            file.flush()
            name = self.ctl('import', file.name).strip()
        self.assertRegex(name, r'^imported\d+$')
        self.assertIn(name, self.ctl('list'))
        self.assertEqual(self.ctl('remove', name), '')
        self.assertNotIn(name, self.ctl('list'))
        self.ctl('import', '/nowhere/x.gguf', status=1)
        self.assertIn('/nowhere/x.gguf', self.error)


if __name__ == '__main__':
    woolly_tap.main()
