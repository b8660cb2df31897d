#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Generations, sessions and models through their states, with a worker that does what it is told."""
import os
import signal
import threading
import time

from gi.repository import Gio, GLib

import woolly_tap
from woolly_daemon import NAME, ROOT, DaemonCase, Failed, Stream, path_of

UNKNOWN = 'org.freedesktop.DBus.Error.UnknownObject'


def text_of(frames):
    return ''.join(value for kind, value in frames if kind == 'text')


def fd_of(data):
    fd = os.memfd_create('test')
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


class Case(DaemonCase):

    def setUp(self):
        super().setUp()
        self.model('m')
        self.app = self.client()
        self.state(self.app, 'm', 'available')

    def ended(self, generation, client=None):
        client = client or self.app
        self.until(lambda: client.get(generation, 'Generation', 'State') in ('done', 'cancelled', 'failed'))
        return client.get(generation, 'Generation', 'State'), client.get(generation, 'Generation', 'Result')

    def open_session(self, client=None, **options):
        return (client or self.app).manager('OpenSession', '(sa{sv})', ('m', options))

    def say(self, session, text):
        _path, stream = self.app.generate(None, 'say ' + text, session)
        said = text_of(stream.all())
        self.until(lambda: self.app.get(session, 'Session', 'State') == 'idle')
        return said

    def tokens(self, session):
        return bytes(self.app.call(session, 'Session.GetTokens')).decode()


class Generations(Case):

    def test_stream(self):
        self.behave(**{'load-ms': 500})
        path, stream = self.app.generate('m', 'say one two')
        frames = stream.all()
        self.assertEqual(text_of(frames), 'one two')
        self.assertEqual(frames[-1], ('end', {'reason': 'stop'}))
        loads = [value for kind, value in frames if kind == 'load']
        self.assertGreaterEqual(len(loads), 2)
        self.assertEqual(loads[-1]['total'], 4 << 20)
        state, result = self.ended(path)
        self.assertEqual((state, result['reason'], result['tokens-out']), ('done', 'stop', 7))
        self.assertGreater(result['load-us'], 400000)
        self.assertNotIn('secret', result)
        self.assertNotIn('tokens-in', result)  # it was of a wrong type
        self.app.call(path, 'Generation.Release')
        self.assertFails(UNKNOWN, self.app.get, path, 'Generation', 'State')

    def test_text(self):
        text, result = self.app.text('m', 'say hello')
        self.assertEqual((text, result['reason']), ('hello', 'stop'))
        text, result = self.app.text('m', 'wait', **{'timeout-ms': GLib.Variant('u', 300)})
        self.assertEqual((text, result['reason']), ('...', 'timeout'))
        self.assertFails('Failed', self.app.text, 'm', 'fail')
        self.assertFails('WorkerLost', self.app.text, 'm', 'crash')

    def test_cancel(self):
        path, stream = self.app.generate('m', 'wait')
        stream.until('text')
        self.app.call(path, 'Generation.Cancel')
        self.assertEqual(stream.all()[-1][0], 'error')
        self.assertEqual(self.ended(path)[0], 'cancelled')
        self.behave(**{'load-ms': 100000})
        self.app.admin('Unload', '(ob)', (path_of('m'), True))
        path, stream = self.app.generate('m', 'wait')
        stream.until('load')
        self.app.call(path, 'Generation.Cancel')
        self.assertEqual(stream.all()[-1][1]['name'], 'org.woolly.Error.Cancelled')
        self.assertEqual(self.ended(path)[1]['error'], 'org.woolly.Error.Cancelled')
        # the load, which would last for minutes, ends with the only one who waited for it
        self.until(lambda: self.app.get(path_of('m'), 'Model', 'State') == 'available')
        self.behave()
        self.assertEqual(self.app.text('m', 'say hello')[0], 'hello')

    def test_hang_up(self):
        self.behave(**{'load-ms': 100000})
        path, stream = self.app.generate('m', 'wait')
        stream.until('load')
        stream.close()
        self.assertEqual(self.ended(path)[0], 'cancelled')

    def test_bad_options(self):
        u = GLib.Variant
        for options in ({'nothing': u('u', 1)}, {'temperature': u('u', 1)}, {'temperature': u('d', float('nan'))},
                        {'temperature': u('d', 11)}, {'stream': u('s', 'morse')}, {'threads': u('u', 1)}):
            key = next(iter(options))
            self.assertIn(key, self.assertFails('InvalidArgs', self.app.generate, 'm', 'say x', **options))
        body = {'prompt': GLib.Variant('s', 'x' * (1 << 20))}
        text = self.assertFails('InvalidArgs', self.app.manager, 'Generate', '(sa{sv}a{sv})', ('m', body, {}))
        self.assertIn('descriptor', text)
        self.assertFails('NotFound', self.app.generate, 'nobody', 'say x')
        self.assertEqual(self.app.text('m', 'say x')[0], 'x')

    def test_tokens(self):
        path = path_of('m')
        body = {'prompt': GLib.Variant('s', 'abc')}
        self.assertEqual(self.app.call(path, 'Model.Tokenize', '(a{sv}a{sv})', (body, {})), [97, 98, 99])
        self.assertEqual(self.app.call(path, 'Model.Count', '(a{sv}a{sv})', (body, {})), 3)
        self.assertEqual(bytes(self.app.call(path, 'Model.Detokenize', '(aua{sv})', ([97, 98], {}))), b'ab')
        message = {'content': GLib.Variant('s', 'hi')}
        rendered = self.app.call(path, 'Model.Render', '(a{sv})', ({'messages': GLib.Variant('aa{sv}', [message])},))
        self.assertEqual(rendered, ('hi', [(0, 1)]))
        message = {'content': GLib.Variant('s', 'salt')}
        salts = [int(client.call(path, 'Model.Render', '(a{sv})', ({'messages': GLib.Variant('aa{sv}', [message])},))[0])
                 for client in (self.app, self.app)]
        self.assertEqual(salts[0], salts[1])
        self.assertNotEqual(salts[0], 0)
        fd = fd_of(b'from a file')
        body = {'prompt-fd': GLib.Variant('h', 0)}
        self.assertEqual(self.app.call(path, 'Model.Count', '(a{sv}a{sv})', (body, {}), fds=[fd]), 11)
        os.close(fd)
        self.assertEqual(self.app.models()['m']['State'], 'opened')  # weights were not wanted

    def test_single_flight(self):
        self.behave(**{'load-ms': 300})
        streams = [self.client().generate('m', f'say {i}')[1] for i in range(5)]
        self.assertEqual([text_of(stream.all()) for stream in streams], ['0', '1', '2', '3', '4'])
        self.until(lambda: len(self.workers()) == 1)


class Deaths(Case):

    def test_crash_in_the_middle(self):
        other = self.client()
        waiting, kept = other.generate('m', 'wait')
        kept.until('text')
        path, stream = self.app.generate('m', 'crash')
        frames = stream.all()
        self.assertEqual(text_of(frames), 'half a sen')
        self.assertNotIn(frames[-1][0], ('end', 'error'))
        state, result = self.ended(path)
        self.assertEqual((state, result['error']), ('failed', 'org.woolly.Error.WorkerLost'))
        self.assertEqual(self.ended(waiting, other)[1]['error'], 'org.woolly.Error.WorkerLost')
        self.assertEqual(self.app.text('m', 'say again')[0], 'again')

    def test_queue_goes_on(self):
        self.write_config('[models]\nmax-running=1\n')
        self.app.admin('Reload')
        _crashing, first = self.app.generate('m', 'wait')
        first.until('text')
        later = [self.app.generate('m', f'say {i}')[1] for i in range(3)]
        os.kill(self.workers()[0], signal.SIGKILL)
        self.assertEqual([text_of(stream.all()) for stream in later], ['0', '1', '2'])

    def test_session_survives(self):
        session = self.open_session()
        self.say(session, 'a')
        os.kill(self.workers()[0], signal.SIGKILL)
        self.until(lambda: not self.workers())
        self.assertEqual(self.tokens(session), 'say a')
        self.assertEqual(self.say(session, 'b'), 'b')
        self.assertEqual(self.tokens(session), 'say asay b')
        self.assertEqual(self.app.get(session, 'Session', 'ContextUsed'), 10)

    def test_before_it_is_noticed(self):
        """What is asked for between a worker's death and the moment in which woollyd sees it is done by the next one."""
        session = self.open_session()
        body = {'prompt': GLib.Variant('s', 'four')}
        for i in range(6):
            self.say(session, str(i))
            self.daemon.send_signal(signal.SIGSTOP)
            os.kill(self.workers()[0], signal.SIGKILL)
            self.until(lambda: not self.workers())
            if i % 2 == 0:
                reply, fds = self.later(session, 'Session.Generate', '(a{sv}a{sv})',
                                        ({'prompt': GLib.Variant('s', 'say again')}, {}))
                self.assertEqual(text_of(Stream(fds.steal_fds()[0]).all()), 'again')
                self.until(lambda: self.app.get(session, 'Session', 'State') == 'idle')
            else:
                reply, _fds = self.later(path_of('m'), 'Model.Count', '(a{sv}a{sv})', (body, {}))
                self.assertEqual(reply, (4,))
            self.app.admin('ClearQuarantine', '(o)', (path_of('m'),))

    def later(self, path, member, signature, arguments):
        """A call that woollyd finds when it is woken up."""
        answers = []
        threading.Thread(target=lambda: answers.append(self.app.call_fds(path, member, signature, arguments))).start()
        time.sleep(0.1)
        self.daemon.send_signal(signal.SIGCONT)
        self.until(lambda: answers)
        return answers[0]

    def test_before_it_begins(self):
        """A worker that dies of Generate itself has said nothing: another one is asked, once."""
        once = os.path.join(self.home, 'once')
        with open(once, 'w'):
            pass
        path, stream = self.app.generate('m', 'die-first ' + once)
        self.assertEqual(text_of(stream.all()), 'lived')
        self.assertEqual(self.ended(path)[0], 'done')
        self.assertFails('WorkerLost', self.app.text, 'm', 'die-first /dev/null')
        path, stream = self.app.generate('m', 'die-first /dev/null')
        self.assertEqual(stream.all()[-1][1]['name'], 'org.woolly.Error.ModelQuarantined')

    def test_last_words(self):
        """A generation that was done when its worker died was done."""
        self.write_config('[quarantine]\ndeaths=100\n')
        self.app.admin('Reload')
        for _ in range(8):
            path, stream = self.app.generate('m', 'say-and-die')
            self.assertEqual(stream.all()[-1], ('end', {'reason': 'stop'}))
            self.assertEqual(self.ended(path)[0], 'done')
            self.until(lambda: not self.workers())
            self.app.admin('ClearQuarantine', '(o)', (path_of('m'),))  # without a pause before the next

    def test_quarantine(self):
        for _ in range(3):
            self.assertFails('WorkerLost', self.app.text, 'm', 'crash')
        row = self.state(self.app, 'm', 'quarantined')
        self.assertEqual(row['LastError'][0], 'org.woolly.Error.ModelQuarantined')
        self.assertFails('ModelQuarantined', self.app.text, 'm', 'say x')
        self.app.admin('ClearQuarantine', '(o)', (path_of('m'),))
        self.assertEqual(self.app.text('m', 'say x')[0], 'x')
        for _ in range(3):
            self.assertFails('WorkerLost', self.app.text, 'm', 'crash')
        self.state(self.app, 'm', 'quarantined')
        self.model('m', 'FAKE another file')
        self.state(self.app, 'm', 'available')
        self.assertEqual(self.app.text('m', 'say y')[0], 'y')

    def test_pause_and_another_file(self):
        """Who waits for the end of a pause goes on with a file that comes meanwhile."""
        self.write_config('[quarantine]\ndeaths=100\n')
        self.app.admin('Reload')
        for _ in range(3):
            self.assertFails('WorkerLost', self.app.text, 'm', 'crash')
        path, stream = self.app.generate('m', 'say x')
        self.model('m', 'FAKE another file')
        self.assertEqual(text_of(stream.all()), 'x')
        self.assertEqual(self.ended(path)[0], 'done')

    def test_open_and_load(self):
        for step in ('open', 'load'):
            for word, error in (('crash', 'WorkerLost'), ('error', 'NoMemory'), ('wrong-type', 'WorkerLost')):
                self.behave(**{step: word})
                self.assertFails(error, self.app.text, 'm', 'say x')
                self.assertEqual(self.app.models()['m']['LastError'][0], 'org.woolly.Error.' + error)
                self.app.admin('ClearQuarantine', '(o)', (path_of('m'),))
                self.behave()
                self.assertEqual(self.app.text('m', 'say x')[0], 'x', (step, word))
                self.app.admin('Unload', '(ob)', (path_of('m'), False))
                self.until(lambda: not self.workers())

    def test_refused_when_opened(self):
        self.behave(open='invalid')
        self.assertFails('InvalidModel', self.app.text, 'm', 'say x')
        self.state(self.app, 'm', 'failed')
        self.until(lambda: not self.workers())

    def test_hostile_signals(self):
        self.assertEqual(self.app.text('m', 'lie')[0], 'truth')
        self.assertFails('WorkerLost', self.app.text, 'm', 'shout')
        self.assertEqual(self.app.text('m', 'say x')[0], 'x')

    def test_flood(self):
        if self.sanitized():
            self.skipTest('a sanitizer takes minutes to read a flood')
        self.assertFails('WorkerLost', self.app.text, 'm', 'flood')
        self.assertEqual(self.app.text('m', 'say x')[0], 'x')

    def test_hostile_answer(self):
        """The bus would throw woollyd out if that were passed on."""
        messages = GLib.Variant('aa{sv}', [{'content': GLib.Variant('s', 'shout')}])
        self.assertFails('WorkerLost', self.app.call, path_of('m'), 'Model.Render', '(a{sv})', ({'messages': messages},))
        self.assertEqual(self.app.text('m', 'say x')[0], 'x')

    def test_stuck(self):
        path, stream = self.app.generate('m', 'wait-stuck')
        stream.until('text')
        self.app.call(path, 'Generation.Cancel')
        self.assertEqual(self.ended(path)[1]['error'], 'org.woolly.Error.WorkerLost')
        self.assertEqual(self.app.text('m', 'say x')[0], 'x')


class Sessions(Case):

    def test_life(self):
        session = self.open_session(label=GLib.Variant('s', 'x'), context=GLib.Variant('u', 99))
        self.assertEqual(self.app.get(session, 'Session', 'Model'), path_of('m'))
        self.assertEqual(self.app.get(session, 'Session', 'ContextSize'), 0)
        self.say(session, 'a')
        self.assertEqual(self.app.get(session, 'Session', 'ContextSize'), 99)
        self.assertEqual(self.app.get(session, 'Session', 'State'), 'idle')
        fork = self.app.call(session, 'Session.Fork', '(a{sv})', ({},))
        self.say(session, 'b')
        self.say(fork, 'c')
        self.assertEqual((self.tokens(session), self.tokens(fork)), ('say asay b', 'say asay c'))
        self.app.call(session, 'Session.Truncate', '(u)', (3,))
        self.assertEqual(self.tokens(session), 'say')
        self.assertFails('InvalidArgs', self.app.call, session, 'Session.Truncate', '(u)', (4,))
        self.app.call(session, 'Session.Close')
        self.assertFails(UNKNOWN, self.app.call, session, 'Session.GetTokens')
        self.assertEqual(self.say(fork, 'd'), 'd')

    def test_going_on_at_once(self):
        """The end of a stream may be read before woollyd has heard of it."""
        session = self.open_session()
        for i in range(50):
            _path, stream = self.app.generate(None, f'say {i}', session)
            self.assertEqual(text_of(stream.all()), str(i))

    def test_without_worker(self):
        session = self.open_session()
        self.say(session, 'abc')
        self.app.admin('Unload', '(ob)', (path_of('m'), False))
        self.until(lambda: not self.workers())
        fork = self.app.call(session, 'Session.Fork', '(a{sv})', ({},))
        self.app.call(fork, 'Session.Truncate', '(u)', (4,))
        self.assertEqual((self.tokens(session), self.tokens(fork)), ('say abc', 'say '))
        self.assertEqual(self.workers(), [])

    def test_one_thing_at_a_time(self):
        session = self.open_session()
        path, stream = self.app.generate(None, 'wait', session)
        stream.until('text')
        self.until(lambda: self.app.get(session, 'Session', 'State') == 'generating')
        self.assertFails('Busy', self.app.generate, None, 'say x', session)
        self.assertFails('Busy', self.app.call, session, 'Session.Truncate', '(u)', (0,))
        self.app.call(session, 'Session.Close')
        self.assertEqual(self.ended(path)[0], 'cancelled')

    def test_save_and_restore(self):
        session = self.open_session()
        self.say(session, 'a')
        fd = os.memfd_create('saved')
        self.app.call(session, 'Session.Save', '(h)', (0,), fds=[fd])
        saved = os.pread(fd, 1000, 0)
        self.assertEqual(len(saved), 48 + 4 * 5)
        other = self.open_session()
        self.app.call(other, 'Session.Restore', '(h)', (0,), fds=[fd])
        self.assertEqual(self.tokens(other), 'say a')
        self.say(other, 'b')
        self.assertEqual(self.tokens(other), 'say asay b')
        os.close(fd)
        for bad in (b'', saved[:-1], saved + b'x', b'X' + saved[1:], saved[:20] + b'\0' + saved[21:],
                    saved[:-4] + b'\xff\xff\xff\xff'):
            fd = fd_of(bad)
            self.assertFails('InvalidArgs', self.app.call, other, 'Session.Restore', '(h)', (0,), fds=[fd])
            os.close(fd)
        self.assertEqual(self.tokens(other), 'say asay b')
        read, write = os.pipe()
        self.assertFails('InvalidArgs', self.app.call, other, 'Session.Save', '(h)', (0,), fds=[write])
        os.close(read)
        os.close(write)

    def test_cancelled_while_it_opens(self):
        """A past that changes while a worker reads the old one must not be the old one again."""
        session = self.open_session()
        self.say(session, 'a')
        fd = os.memfd_create('saved')
        self.app.call(session, 'Session.Save', '(h)', (0,), fds=[fd])
        self.say(session, 'b')
        self.app.admin('Unload', '(ob)', (path_of('m'), False))
        self.until(lambda: not self.workers())
        self.behave(**{'session-ms': 700})
        path, _stream = self.app.generate(None, 'say c', session)
        self.state(self.app, 'm', 'ready')
        self.app.call(path, 'Generation.Cancel')
        self.assertEqual(self.ended(path)[0], 'cancelled')
        self.app.call(session, 'Session.Restore', '(h)', (0,), fds=[fd])
        os.close(fd)
        self.assertEqual(self.say(session, 'd'), 'd')
        self.assertEqual(self.tokens(session), 'say asay d')

    def test_leaving(self):
        leaver = self.client()
        session = self.open_session(leaver)
        _path, stream = leaver.generate(None, 'wait', session)
        stream.until('text')
        private = leaver.manager('OpenFiles', '(aha{sv})', ([0], {}), fds=[os.open(self.model('p', folder=self.home), 0)])
        self.assertIn('/files/', private)
        leaver.call(path_of('m'), 'Model.Load', '(a{sv})', ({},))
        users = self.app.call(path_of('m'), 'Model.ListUsers')
        self.assertEqual([(row['name'], row['sessions'], row['generations'], row['holds']) for row in users],
                         [(leaver.name(), 1, 1, 1)])
        leaver.close()
        self.until(lambda: self.app.call(path_of('m'), 'Model.ListUsers') == [])
        self.assertEqual(stream.all()[-1][0], 'error')

    def test_leaving_while_files_are_looked_at(self):
        """Probes of files that nobody wants to know about any more end."""
        leaver = self.client()
        for _ in range(5):
            leaver.manager('OpenFiles', '(aha{sv})', ([0], {}), fds=[fd_of(b'HANG')])
        self.until(lambda: len(self.workers()) == 2)
        leaver.close()
        self.model('next')
        self.state(self.app, 'next', 'available')
        self.until(lambda: not self.workers())
        self.assertNotIn('too long', self.log())


class Privacy(Case):

    def test_objects_of_others(self):
        other = self.client()
        session = self.open_session()
        generation, _stream = self.app.generate(None, 'wait', session)
        fd = os.open(self.model('p', folder=self.home), os.O_RDONLY)
        private = self.app.manager('OpenFiles', '(aha{sv})', ([0], {}), fds=[fd])
        os.close(fd)
        for path, interface in ((session, 'Session'), (generation, 'Generation'), (private, 'Model')):
            self.assertTrue(self.app.get(path, interface, 'State'))
            messages = set()
            for who, where in ((other, path), (self.app, path + '99'), (self.app, path + '/x'), (other, path + '99')):
                for member, signature, arguments in (
                        ('org.freedesktop.DBus.Properties.GetAll', '(s)', (f'{NAME}.{interface}',)),
                        ('org.freedesktop.DBus.Properties.Get', '(ss)', (f'{NAME}.{interface}', 'State')),
                        ('org.freedesktop.DBus.Introspectable.Introspect', '()', ()),
                        ('org.freedesktop.DBus.Peer.Ping', '()', ()),
                        ('Session.Close', '()', ()), ('Generation.Cancel', '()', ()), ('Model.Unload', '()', ())):
                    text = self.assertFails(UNKNOWN, who.call, where, member, signature, arguments)
                    messages.add(text.replace(where, 'PATH'))
            self.assertEqual(len(messages), 1)  # what is another's looks as what never was
            parent, _, name = path.rpartition('/')
            introspect = 'org.freedesktop.DBus.Introspectable.Introspect'
            self.assertIn(f'"{name}"', self.app.call(parent, introspect))
            self.assertNotIn('name=', other.call(parent, introspect))
            self.assertFails(UNKNOWN, other.call, parent, 'Session.Close')
        self.assertFails('NotFound', other.generate, private, 'say x')
        self.assertEqual(self.app.text(private, 'say x')[0], 'x')
        self.assertEqual(self.app.get(private, 'Model', 'Files'), [])
        self.assertNotIn('files', repr(other.models()))

    def test_signals_go_to_the_owner(self):
        heard = {}
        clients = {'own': self.app, 'other': self.client()}
        for name, client in clients.items():
            heard[name] = []

            def listen(_connection, _sender, path, _interface, _signal, parameters, name=name):
                heard[name].append((path, parameters.unpack()[1]))
            client.connection.signal_subscribe(NAME, 'org.freedesktop.DBus.Properties', 'PropertiesChanged', None, None,
                                               Gio.DBusSignalFlags.NONE, listen)
        began = time.monotonic()
        path, stream = self.app.generate('m', 'say x')
        self.assertEqual(text_of(stream.all()), 'x')
        context = GLib.MainContext.default()

        def done():
            while context.iteration(False):
                pass
            return any(seen == path and changed.get('State') == 'done' for seen, changed in heard['own'])
        self.until(done)
        self.assertTrue(any(seen == path_of('m') for seen, _ in heard['other']))
        self.assertFalse(any(seen == path for seen, _ in heard['other']))
        # All were sent in this time, however late they are read here: at most four a second for each object.
        seconds = time.monotonic() - began
        for name in ('own', 'other'):
            for path in {path for path, _ in heard[name]}:
                self.assertLessEqual(sum(where == path for where, _ in heard[name]), 2 + 4 * seconds)

    def test_hostile_messages(self):
        """Wrong handles and paths; the service stays."""
        fd = os.open(self.home, os.O_RDONLY)
        write_only = os.open(os.path.join(self.home, 'w'), os.O_WRONLY | os.O_CREAT)
        read, write = os.pipe()
        for handles, fds in (([], []), ([0], []), ([7], [read]), ([-1], [read]), ([0], [read]), ([0], [fd]),
                             ([0], [write_only])):
            self.assertFails('InvalidArgs', self.app.manager, 'OpenFiles', '(aha{sv})', (handles, {}), fds=fds)
        for handle in (5, -1):
            self.assertFails('InvalidArgs', self.app.admin, 'Import', '(ha{sv})', (handle, {}))
        self.assertFails('NotFound', self.app.admin, 'Unload', '(ob)', ('/nowhere', True))
        self.assertFails('NotFound', self.app.manager, 'Resolve', '(sa{sv})', ('/nowhere', {}))
        self.assertFails('NotFound', self.app.manager, 'Resolve', '(sa{sv})', ('x' * 100000, {}))
        for each in (fd, write_only, read, write):
            os.close(each)
        self.assertEqual(self.app.text('m', 'say x')[0], 'x')


class Sandboxed(Case):
    environment = {'WOOLLY_TEST_CALLER_KIND': 'sandboxed'}

    def test_what_is_refused(self):
        for method, signature, arguments in (
                ('GetSettings', '()', ()), ('Reload', '()', ()), ('Quit', '()', ()),
                ('Unload', '(ob)', (path_of('m'), True)), ('Remove', '(o)', (path_of('m'),)),
                ('ClearQuarantine', '(o)', (path_of('m'),)), ('Import', '(ha{sv})', (0, {})),
                ('Pull', '(sa{sv})', ('x', {}))):
            self.assertFails('AccessDenied', self.app.admin, method, signature, arguments)
        self.assertFails('AccessDenied', self.app.call, path_of('m'), 'Model.ListUsers')
        self.assertEqual(self.app.get(path_of('m'), 'Model', 'Files'), [])
        self.assertEqual(self.app.text('m', 'say x')[0], 'x')


class Limits(Case):
    config = ('[models]\nmax-running=1\n[limits]\nwaiting-per-model=4\nobjects-per-caller=5\nrequests-per-caller=3\n')

    def test_objects(self):
        sessions = [self.open_session() for _ in range(5)]
        self.assertIn('5', self.assertFails('Busy', self.open_session))
        self.assertFails('Busy', self.app.generate, 'm', 'say x')
        self.assertFails('Busy', self.open_session, self.client())  # another connection is no other app
        self.open_session(self.other_app())
        self.app.call(sessions[0], 'Session.Close')
        self.open_session()

    def test_requests(self):
        paths = [self.app.generate('m', 'wait')[0] for _ in range(3)]
        self.assertFails('Busy', self.app.generate, 'm', 'say x')
        self.app.call(paths[1], 'Generation.Release')
        self.app.generate('m', 'wait')

    def test_queue(self):
        clients = [self.other_app() for _ in range(2)]
        first, stream = clients[0].generate('m', 'wait')
        stream.until('text')
        waiting = [client.generate('m', 'wait') for client in (clients[0], clients[0], clients[1], clients[1])]
        self.assertFails('Busy', self.app.generate, 'm', 'say x')
        positions = [client.get(path, 'Generation', 'QueuePosition')
                     for client, (path, _) in zip((clients[0], clients[0], clients[1], clients[1]), waiting)]
        self.assertEqual(positions, [2, 4, 1, 3])  # the second app does not wait for all of the first one
        self.assertEqual(waiting[3][1].until('queue')[1]['position'], 3)
        self.assertEqual(self.app.get(path_of('m'), 'Model', 'QueueLength'), 5)
        clients[1].call(waiting[2][0], 'Generation.Cancel')
        clients[0].call(first, 'Generation.Cancel')
        self.until(lambda: clients[0].get(waiting[0][0], 'Generation', 'State') == 'generating')
        self.assertEqual(clients[1].get(waiting[3][0], 'Generation', 'QueuePosition'), 1)


class Memory(Case):
    config = '[memory]\nbudget=30000000\nkv-cache=4194304\n[models]\nidle-timeout=2\n'

    def test_budget(self):
        """Each fake model books 8 MiB: three fit."""
        for name in 'abc':
            self.model(name)
            self.state(self.app, name, 'available')
        for name in 'abc':
            self.app.text(name, 'say x')
        # 4 MiB of each are weights; packed they may take what nobody has booked, too, as long as that is so
        left = [30000000 - n * (8 << 20) + (4 << 20) for n in (1, 2, 3)]
        for name, expected in zip('abc', (left, left[1:], left[2:])):
            self.assertEqual(self.app.text(name, 'limits')[0], ' '.join(map(str, expected)))
        path, busy = self.app.generate('a', 'wait')
        busy.until('text')
        self.app.text('c', 'say x')
        self.app.text('m', 'say x')  # b was used longest ago
        states = {name: row['State'] for name, row in self.app.models().items()}
        self.assertEqual(states, {'a': 'ready', 'b': 'available', 'c': 'ready', 'm': 'ready'})
        self.assertGreater(self.app.get(ROOT, 'Manager', 'MemoryInUse'), 0)
        self.assertEqual(self.app.get(ROOT, 'Manager', 'MemoryBudget'), 30000000)
        # what others leave is of use to who is still there
        self.app.call(path_of('m'), 'Model.Unload')
        self.app.call(path_of('c'), 'Model.Unload')
        self.app.call(path, 'Generation.Cancel')
        self.assertEqual(self.ended(path)[0], 'cancelled')
        self.assertEqual(self.app.text('a', 'limits')[0].split()[-1], str(left[0]))

    def test_idle(self):
        self.app.text('m', 'say x')
        self.state(self.app, 'm', 'available')
        self.assertEqual(self.workers(), [])

    def test_too_large(self):
        self.write_config('[memory]\nbudget=1000000\n')
        self.app.admin('Reload')
        self.assertIn('MiB', self.assertFails('NoMemory', self.app.text, 'm', 'say x'))
        estimate = self.app.manager('EstimateModel', '(sa{sv})', ('m', {'context': GLib.Variant('u', 1000)}))
        self.assertEqual(estimate, {'weights-bytes': 4 << 20, 'kv-bytes': 1024000, 'budget-bytes': 1000000, 'fits': False})

    def test_hold(self):
        reply, fds = self.app.call_fds(ROOT, 'Manager.HoldModel', '(sa{sv})', ('m', {}))
        guard = fds.steal_fds()[0]
        self.state(self.app, 'm', 'ready')
        time.sleep(3)
        self.assertEqual(self.app.models()['m']['State'], 'ready')
        exact = {'activations': GLib.Variant('s', 'f32')}
        copy = os.dup(guard)
        os.close(guard)
        self.assertIn('other options', self.assertFails('Busy', self.app.call, path_of('m'), 'Model.Load', '(a{sv})', (exact,)))
        os.close(copy)
        first = self.workers()
        self.until(lambda: self.app.call(path_of('m'), 'Model.ListUsers') == [])
        self.app.call(path_of('m'), 'Model.Load', '(a{sv})', (exact,))
        self.state(self.app, 'm', 'ready')
        self.assertNotEqual(self.workers(), first)
        self.app.call(path_of('m'), 'Model.Load', '(a{sv})', (exact,))
        self.app.call(path_of('m'), 'Model.Load', '(a{sv})', ({},))
        self.app.call(path_of('m'), 'Model.Unload')
        self.until(lambda: not self.workers())

    def test_unload(self):
        path, stream = self.app.generate('m', 'wait')
        stream.until('text')
        self.assertFails('Busy', self.app.admin, 'Unload', '(ob)', (path_of('m'), False))
        worker = self.workers()
        begin = time.monotonic()
        self.app.admin('Unload', '(ob)', (path_of('m'), True))
        self.until(lambda: not os.path.exists(f'/proc/{worker[0]}'), 5)
        self.assertEqual(self.ended(path)[1]['error'], 'org.woolly.Error.Cancelled')
        self.assertTrue(begin)

    def test_unload_while_it_loads(self):
        """By force: who waits for it does not have it loaded again."""
        self.write_config('[models]\nmax-running=2\n')
        self.app.admin('Reload')
        self.behave(**{'load-ms': 1000000})
        generations = [self.app.generate('m', 'say x') for _ in range(4)]  # two of which wait for their turn
        self.state(self.app, 'm', 'loading')
        self.assertFails('Busy', self.app.admin, 'Unload', '(ob)', (path_of('m'), False))
        self.app.admin('Unload', '(ob)', (path_of('m'), True))
        for path, stream in generations:
            self.assertEqual(stream.all()[-1][1]['name'], 'org.woolly.Error.Cancelled')
            self.assertEqual(self.ended(path)[0], 'cancelled')
        self.until(lambda: not self.workers())
        self.assertEqual(self.log().count('opened -> loading'), 1)
        self.behave()
        self.assertEqual(self.app.text('m', 'say y')[0], 'y')


if __name__ == '__main__':
    woolly_tap.main()
