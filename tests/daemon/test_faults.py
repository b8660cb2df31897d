#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Workers that are killed, apps that are killed, readers that stop reading."""
import os
import signal
import subprocess
import sys
import time

from gi.repository import GLib

import woolly_tap
from real_service import ERRORS, RealCase, greedy, make_model, text_of

PROMPT = 'The red ball rolled over the hill and then'
MORE = ' and after that'
N_MORE = 60
QUICK = ('--layers=1', '--embd=32', '--ff=32', '--heads=2', '--head-dim=16', '--context=1048576')
N_LONG = 40000  # more than a stream and what is behind it can take

# An app that dies: opens a session, lets it generate, and says so.
APP = '''
import sys, time
from gi.repository import GLib
from woolly_daemon import Client
app = Client(sys.argv[1])
session = app.manager('OpenSession', '(sa{sv})', ('medium', {}))
options = {'max-tokens': GLib.Variant('u', 7000), 'ignore-end': GLib.Variant('b', True)}
path, stream = app.generate(None, 'Once', session, **options)
stream.until('text')
print('ready', flush=True)
time.sleep(600)
'''


class Worker(RealCase):

    def kill_worker(self):
        workers = self.workers()
        self.assertEqual(len(workers), 1)
        os.kill(workers[0], signal.SIGKILL)

    def undisturbed(self, n_tokens):
        """A session that says so many tokens, and then more, of its own accord."""
        session = self.open_session('medium')
        _path, stream = self.app.generate(None, PROMPT, session, **greedy(n_tokens))
        first = text_of(stream.all())
        past = self.tokens(session)
        _path, stream = self.app.generate(None, MORE, session, **greedy(N_MORE))
        return first, past, text_of(stream.all()), self.tokens(session)

    def test_killed_in_the_middle(self):
        session = self.open_session('medium')
        path, stream = self.app.generate(None, PROMPT, session, **greedy(5000))
        for _ in range(30):
            stream.until('text')
        self.kill_worker()
        frames = stream.all()
        self.assertNotIn(frames[-1][0], ('end', 'error'))
        state, result = self.result(path)
        self.assertEqual((state, result['reason'], result['error']), ('failed', 'error', ERRORS + 'WorkerLost'))
        past = self.tokens(session)
        self.assertGreater(len(past), 30)
        _path, stream = self.app.generate(None, MORE, session, **greedy(N_MORE))
        more = text_of(stream.all())
        self.assertEqual(stream.frames[-1], ('end', {'reason': 'length'}))
        said = self.tokens(session)
        n_prompt = len(self.undisturbed(1)[1]) - 1
        reference = self.undisturbed(len(past) - n_prompt)
        self.assertTrue(reference[0].startswith(text_of(frames)))  # nothing was streamed that it does not hold
        self.assertEqual((past, more, said), reference[1:])

    def test_killed_in_prefill(self):
        reference = self.undisturbed(20)
        session = self.open_session('medium')
        path, stream = self.app.generate(None, PROMPT * 200, session, **greedy(20))
        self.until(lambda: self.app.get(path, 'Generation', 'State') == 'prefill')
        self.kill_worker()
        stream.all()
        self.assertEqual(self.result(path)[1]['error'], ERRORS + 'WorkerLost')
        self.assertEqual(self.tokens(session), [])
        _path, stream = self.app.generate(None, PROMPT, session, **greedy(20))
        self.assertEqual(text_of(stream.all()), reference[0])

    def test_killed_while_loading(self):
        """It may begin again before anything was said, or say so; a text is never begun twice."""
        reference = self.undisturbed(20)
        self.app.admin('Unload', '(ob)', (self.path('medium'), True))
        self.until(lambda: not self.workers())
        path, stream = self.app.generate('medium', PROMPT, **greedy(20))
        self.until(self.workers)
        self.kill_worker()
        text = text_of(stream.all())
        state, result = self.result(path)
        if state == 'done':
            self.assertEqual(text, reference[0])
        else:
            self.assertEqual(result['error'], ERRORS + 'WorkerLost')
            self.assertTrue(reference[0].startswith(text))  # the blow may have come late
        self.works('medium')

    def test_killed_while_idle(self):
        """Two sessions; neither misses anything."""
        reference = self.undisturbed(20)
        sessions = [self.open_session('medium') for _ in range(2)]
        for session in sessions:
            _path, stream = self.app.generate(None, PROMPT, session, **greedy(20))
            stream.all()
        self.kill_worker()
        self.state(self.app, 'medium', 'available')
        streams = [self.app.generate(None, MORE, session, **greedy(N_MORE))[1] for session in sessions]
        for session, stream in zip(sessions, streams):
            self.assertEqual(text_of(stream.all()), reference[2])
            self.assertEqual(self.tokens(session), reference[3])


class Reader(RealCase):

    def setUp(self):
        make_model('quick', *QUICK)
        super().setUp()

    def begin(self):
        # old tokens go, so that a text can be long without much to look back at
        session = self.open_session('quick', context=GLib.Variant('u', 64), overflow=GLib.Variant('s', 'drop-oldest'))
        return self.app.generate(None, PROMPT, session, **greedy(N_LONG))


class Paused(Reader):
    config = '[limits]\nstall-ms=3600000\n'  # on a slow machine it takes long until it is paused

    def paused(self):
        """A generation whose stream nobody reads."""
        path, stream = self.begin()
        self.until(lambda: self.app.get(path, 'Generation', 'State') == 'paused', 200)
        return path, stream

    def test_stops_for_ten_seconds(self):
        begin = time.monotonic()
        path, stream = self.paused()
        others = 0
        while time.monotonic() < begin + 10 or others < 3:
            self.works('quick')
            others += 1
            time.sleep(0.3)
        self.assertEqual(self.app.get(path, 'Generation', 'State'), 'paused')
        frames = stream.all()
        self.assertEqual(frames[-1], ('end', {'reason': 'length'}))
        state, result = self.result(path)
        self.assertEqual((state, result['tokens-out']), ('done', N_LONG))
        _path, stream = self.begin()
        self.assertTrue(text_of(stream.all()) == text_of(frames))


class Stalled(Reader):
    config = '[limits]\nstall-ms=700\n'

    def test_stalled(self):
        path, stream = self.begin()
        state, result = self.result(path)
        self.assertEqual((state, result['error']), ('failed', ERRORS + 'ReaderStalled'))
        said = text_of(stream.all())  # what was written before is there
        self.assertTrue(said)
        _path, whole = self.begin()
        n = 0
        while n < len(said):
            kind, value = whole.next()
            n += len(value) if kind == 'text' else 0
        whole.close()
        self.assertTrue(text_of(whole.frames).startswith(said))
        self.works('quick')


class App(RealCase):
    config = '[limits]\nobjects=4\nrequests=2\n'

    def test_killed(self):
        """Its sessions and generations are gone, and what they counted for."""
        for _ in range(3):
            app = subprocess.Popen([sys.executable, '-c', APP, self.address], stdout=subprocess.PIPE, text=True)
            self.addCleanup(app.stdout.close)
            self.addCleanup(app.kill)
            self.assertEqual(app.stdout.readline(), 'ready\n')
            users = self.app.call(self.path('medium'), 'Model.ListUsers')
            self.assertEqual([(user['sessions'], user['generations']) for user in users], [(1, 1)])
            app.send_signal(signal.SIGKILL)
            app.wait()
            self.until(lambda: self.app.call(self.path('medium'), 'Model.ListUsers') == [])
        self.until(lambda: self.app.get(self.path('medium'), 'Model', 'QueueLength') == 0)
        sessions = [self.open_session('medium') for _ in range(4)]  # all there may be
        self.assertFails('Busy', self.open_session, 'medium')
        for session in sessions:
            self.app.call(session, 'Session.Close')
        self.works('medium')


if __name__ == '__main__':
    woolly_tap.main()
