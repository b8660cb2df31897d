#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of callers whose file system does not answer: woollyd serves everybody else.

hang.c makes them: in woollyd, a file waits for as long as its name begins with "hung-".
"""
import os
import threading

from gi.repository import GLib

import woolly_tap
from woolly_daemon import ROOT, DaemonCase, Failed, path_of

PER_APP = 4  # threads of one app
LONG = '[limits]\nfile-ms=3600000\n'


class Case(DaemonCase):
    # the sanitizer's library wants to be the first one, and is found all the same
    environment = {'LD_PRELOAD': os.environ['WOOLLY_TEST_HANG'],
                   'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'}
    config = LONG

    def setUp(self):
        super().setUp()
        self.model('m')
        self.app = self.client()
        self.other = self.other_app()
        self.state(self.app, 'm', 'available')
        self.hung = set()
        self.calls = []

    def tearDown(self):
        self.release()
        for call in self.calls:
            call.join()
        super().tearDown()

    def file(self, name, content=None):
        """A descriptor of a file that is fine."""
        fd = os.open(self.model(name, content, folder=self.home), os.O_RDWR)
        self.addCleanup(os.close, fd)
        return fd

    def hang(self, name):
        os.rename(f'{self.home}/{name}.gguf', f'{self.home}/hung-{name}.gguf')
        self.hung.add(name)

    def hung_file(self, name, content=None):
        fd = self.file(name, content)
        self.hang(name)
        return fd

    def release(self):
        for name in self.hung:
            os.rename(f'{self.home}/hung-{name}.gguf', f'{self.home}/{name}.gguf')
        self.hung.clear()

    def open_files(self, client, fd):
        return client.manager('OpenFiles', '(aha{sv})', ([0], {}), fds=[fd], timeout=600000)

    def begin(self, function, *arguments, **more):
        """Calls it in a thread; the list that its answer, or the error's name, is added to."""
        answers = []

        def run():
            try:
                answers.append(function(*arguments, **more))
            except Failed as error:
                answers.append(error.name)
        self.calls.append(threading.Thread(target=run))
        self.calls[-1].start()
        return answers

    def others_are_served(self):
        self.assertEqual(self.other.text('m', 'say hello')[0], 'hello')
        self.assertIn('m', self.other.models())
        path = self.open_files(self.other, self.file('good'))
        self.until(lambda: self.other.get(path, 'Model', 'State') == 'available')
        self.assertEqual(self.other.text(path, 'say sun')[0], 'sun')

    def all_served(self):
        self.others_are_served()
        self.assertEqual(self.app.text('m', 'say moon')[0], 'moon')


class Waiting(Case):

    def test_open_files(self):
        fd = self.hung_file('a')
        answers = [self.begin(self.open_files, self.client(), fd) for _ in range(PER_APP + 2)]
        for _ in range(3):
            self.all_served()
        self.assertEqual(answers, [[] for _ in answers])
        self.release()
        self.until(lambda: all(answers))
        for path, in answers:
            self.assertIn('/files/', path)
        self.all_served()

    def test_a_model_that_hangs_later(self):
        path = self.open_files(self.app, self.file('a'))
        self.until(lambda: self.app.get(path, 'Model', 'State') == 'available')
        self.hang('a')
        answers = self.begin(self.app.text, path, 'say stars', **{'timeout-ms': GLib.Variant('u', 3600000)})
        self.until(lambda: self.app.get(path, 'Model', 'State') == 'opening')
        self.all_served()
        self.assertEqual(answers, [])
        self.release()
        self.until(lambda: answers)
        self.assertEqual(answers[0][0], 'stars')

    def test_closing(self):
        """Who leaves takes files along, and so do calls that nobody expects files with."""
        leaver = self.client()
        path = self.open_files(leaver, self.file('a'))
        self.until(lambda: leaver.get(path, 'Model', 'State') == 'available')
        self.hang('a')
        leaver.close()
        fd = self.hung_file('b', 'four')
        body = {'prompt-fd': GLib.Variant('h', 0)}
        for _ in range(3):
            self.assertEqual(self.app.call(path_of('m'), 'Model.Count', '(a{sv}a{sv})', (body, {}), fds=[fd]), 4)
            self.assertFails('org.freedesktop.DBus.Error.UnknownMethod', self.app.manager, 'Nothing', fds=[fd])
            self.app.call(ROOT, 'org.freedesktop.DBus.Peer.Ping', fds=[fd])
            self.all_served()
        self.assertEqual(len(self.descriptors_of('hung-a')), 1)
        self.assertTrue(self.descriptors_of('hung-b'))
        self.release()
        self.until(lambda: not self.descriptors_of('/a.gguf') and not self.descriptors_of('/b.gguf'))

    def descriptors_of(self, name):
        folder = f'/proc/{self.daemon.pid}/fd'
        targets = []
        for fd in os.listdir(folder):
            try:
                targets.append(os.readlink(f'{folder}/{fd}'))
            except FileNotFoundError:
                pass
        return [target for target in targets if name in target]

    def test_sessions_and_imports(self):
        fd = self.hung_file('a')
        session = self.app.manager('OpenSession', '(sa{sv})', ('m', {}))
        calls = [(self.app.admin, 'Import', '(ha{sv})', (0, {'name': GLib.Variant('s', 'new')})),
                 (self.app.call, session, 'Session.Save', '(h)', (0,))]
        answers = [self.begin(*call, fds=[fd], timeout=600000) for call in calls]
        self.all_served()
        self.assertEqual(answers, [[], []])
        self.release()
        self.until(lambda: all(answers))
        self.assertIn('/jobs/', answers[0][0])
        self.hang('a')
        answers = self.begin(self.app.call, session, 'Session.Restore', '(h)', (0,), fds=[fd], timeout=600000)
        self.all_served()
        self.assertEqual(answers, [])


class TooLong(Case):
    config = '[limits]\nfile-ms=300\n'

    def test_refusals(self):
        fd = self.hung_file('a')
        good = self.file('good')
        for _ in range(PER_APP):
            self.assertFails('TimedOut', self.open_files, self.app, fd)
        for file in (fd, good):
            self.assertFails('Busy', self.open_files, self.app, file)
        self.until(lambda: self.is_taken(self.other, good))
        self.assertEqual(self.app.text('m', 'say moon')[0], 'moon')
        self.release()
        self.until(lambda: self.is_taken(self.app, good))

    def is_taken(self, client, fd):
        """On a slow machine, a good file may take too long, too."""
        try:
            return '/files/' in self.open_files(client, fd)
        except Failed:
            return False


if __name__ == '__main__':
    woolly_tap.main()
