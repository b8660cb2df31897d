#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real worker, engine and plugins behind the service, with the bundled model: what must hold when things go wrong."""
import os
import shutil
import signal
import time

from gi.repository import GLib

import woolly_tap
from woolly_daemon import DaemonCase, Stream, path_of

MODEL = os.environ['WOOLLY_TEST_MODEL']
STORY = 'Once upon a time there was a red ball.'


def text_of(frames):
    return ''.join(value for kind, value in frames if kind == 'text')


class Real(DaemonCase):
    environment = {'WOOLLY_WORKER': os.environ['WOOLLY_TEST_WORKER'],
                   'WOOLLY_PLUGIN_PATH': os.environ['WOOLLY_TEST_PLUGINS']}

    def setUp(self):
        super().setUp()
        shutil.copy(MODEL, os.path.join(self.folder, 'm.gguf'))
        self.app = self.client()
        self.state(self.app, 'm', 'available')
        self.greedy = {'temperature': GLib.Variant('d', 0), 'ignore-end': GLib.Variant('b', True)}

    def generate(self, prompt, n, session=None, client=None):
        return (client or self.app).generate('m', prompt, session, **self.greedy, **{'max-tokens': GLib.Variant('u', n)})

    def open_session(self, client=None, **options):
        return (client or self.app).manager('OpenSession', '(sa{sv})', ('m', options))

    def worker(self):
        workers = self.workers()
        self.assertEqual(len(workers), 1)
        return workers[0]

    def test_stream(self):
        path, stream = self.generate(STORY, 24)
        frames = stream.all()
        kinds = [kind for kind, _ in frames]
        self.assertEqual(kinds[-1], 'end')
        self.assertIn('usage', kinds)
        self.assertEqual(frames[-1][1], {'reason': 'length'})
        self.until(lambda: self.app.get(path, 'Generation', 'State') == 'done')
        result = self.app.get(path, 'Generation', 'Result')
        self.assertEqual((result['tokens-out'], result['reason']), (24, 'length'))
        self.assertEqual(result['device'], self.app.models()['m']['Device'])
        self.assertTrue(result['device'])

    def test_cache_types(self):
        """Sessions of all types of cache, in one batch, each with a text to go on from."""
        streams = [self.generate(STORY, 16, self.open_session(**{'kv-type': GLib.Variant('s', kind)}))[1]
                   for kind in ('f16', 'f32', 'q8_0')]
        for stream in streams:
            frames = stream.all()
            self.assertEqual(frames[-1], ('end', {'reason': 'length'}))
            self.assertGreater(len(text_of(frames)), 10)

    def test_replay(self):
        """A conversation whose worker was killed twice goes on as one whose was not."""
        told, kept = [], []
        sessions = [self.open_session(), self.open_session()]
        for said, session, kills in ((told, sessions[0], True), (kept, sessions[1], False)):
            for prompt in (STORY, ' The ball', ' In the end'):
                _path, stream = self.generate(prompt, 16, session)
                said.append(text_of(stream.all()))
                if kills:
                    os.kill(self.worker(), signal.SIGKILL)
                    self.until(lambda: not self.workers())
            self.app.admin('ClearQuarantine', '(o)', (path_of('m'),))
        self.assertGreater(min(len(text) for text in told), 10)
        self.assertEqual(told, kept)
        self.assertEqual(*(self.app.call(session, 'Session.GetTokens') for session in sessions))

    def test_killed_in_the_middle(self):
        session = self.open_session()
        path, stream = self.generate(STORY, 1000, session)
        stream.until('text')
        os.kill(self.worker(), signal.SIGKILL)
        frames = stream.all()
        self.assertNotIn(frames[-1][0], ('end', 'error'))
        self.until(lambda: self.app.get(path, 'Generation', 'State') == 'failed')
        self.assertEqual(self.app.get(path, 'Generation', 'Result')['error'], 'org.woolly.Error.WorkerLost')
        _path, stream = self.generate(' And', 8, session)
        self.assertEqual(stream.all()[-1][0], 'end')

    def test_others_do_not_notice(self):
        """What a session says while others come, are cancelled, hang up and leave is what it says alone."""
        _path, stream = self.generate(STORY, 200)
        alone = text_of(stream.all())
        self.assertGreater(len(alone), 200)
        _path, stream = self.generate(STORY, 200)
        stream.until('text')
        for i in range(6):
            leaver = self.client()
            other, second = self.generate(f'{i} children went to the wood.', 100, client=leaver)
            second.until('text')
            if i % 3 == 0:
                leaver.call(other, 'Generation.Cancel')
            elif i % 3 == 1:
                second.close()
            leaver.close()
        self.assertEqual(text_of(stream.all()), alone)

    def test_unload(self):
        _path, stream = self.generate(STORY, 4)
        stream.all()
        pid = self.worker()
        self.until(lambda: self.app.models()['m']['QueueLength'] == 0)
        self.app.admin('Unload', '(ob)', (path_of('m'), True))
        self.until(lambda: not os.path.exists(f'/proc/{pid}'), 5)
        self.assertEqual(self.app.models()['m']['State'], 'available')

    def test_opened_file(self):
        fd = os.open(MODEL, os.O_RDONLY)
        path = self.app.manager('OpenFiles', '(aha{sv})', ([0], {}), fds=[fd])
        os.close(fd)
        (reply, fds) = self.app.call_fds('/org/woolly/Woolly1', 'Manager.Generate', '(sa{sv}a{sv})',
                                         (path, {'prompt': GLib.Variant('s', STORY)}, self.greedy
                                          | {'max-tokens': GLib.Variant('u', 8)}))
        self.assertTrue(reply[0])
        self.assertEqual(text_of(Stream(fds.steal_fds()[0]).all()), text_of(self.generate(STORY, 8)[1].all()))

    def test_cut_files(self):
        """A model cut at many places is refused each time, and keeps nothing from working."""
        with open(MODEL, 'rb') as file:
            data = file.read()
        for i in range(40):
            size = (len(data) - 1) * i // 40
            with open(os.path.join(self.folder, f'cut-{i}.gguf'), 'wb') as file:
                file.write(data[:size])
        for i in range(40):
            row = self.state(self.app, f'cut-{i}', 'failed')
            self.assertEqual(row['LastError'][0], 'org.woolly.Error.InvalidModel')
            self.assertTrue(row['LastError'][1])
        self.assertEqual(self.generate(STORY, 4)[1].all()[-1][0], 'end')

    def test_file_cut_while_in_use(self):
        path = os.path.join(self.folder, 'm.gguf')
        generation, stream = self.generate(STORY, 1000)
        stream.until('text')
        with open(path, 'r+b') as file:  # may wait for the worker's lease
            file.truncate(100000)
        stream.all()
        self.until(lambda: self.app.get(generation, 'Generation', 'State') in ('failed', 'done', 'cancelled'))
        self.state(self.app, 'm', 'failed')
        shutil.copy(MODEL, path + '.new')
        os.rename(path + '.new', path)
        self.state(self.app, 'm', 'available')
        self.assertEqual(self.generate(STORY, 4)[1].all()[-1][0], 'end')

    def test_killed_daemon(self):
        """No worker outlives the service."""
        _path, stream = self.generate(STORY, 1000)
        stream.until('text')
        pid = self.worker()
        self.daemon.kill()
        self.daemon.wait()
        self.until(lambda: not os.path.exists(f'/proc/{pid}'), 5)
        stream.all()

    def test_slow_reader(self):
        """Who does not read pauses itself alone."""
        _path, slow = self.generate(STORY, 2000)
        slow.until('text')
        time.sleep(1)
        self.assertEqual(self.generate(STORY, 8)[1].all()[-1][0], 'end')
        slow.close()


if __name__ == '__main__':
    woolly_tap.main()
