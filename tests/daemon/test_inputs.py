#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prompts and messages that come by descriptor, and are not what they should be."""
import os
import socket
import threading

from gi.repository import GLib

import woolly_tap
from real_service import ROOT, TINY, Failed, RealCase, greedy

BAD_TEXTS = {'truncated': b'ab\xe2\x82', 'overlong': b'a\xc0\xafb', 'surrogate': b'\xed\xa0\x80', 'beyond': b'\xf4\x90\x80\x80',
             'stray': b'ab\x80', 'nul': b'a\0b', 'nul at the end': b'ab\0', 'late': b'x' * 70000 + b'\xff'}
LARGEST = 128 << 20


def memory(data):
    fd = os.memfd_create('test')
    os.write(fd, data)
    return fd


class Inputs(RealCase):

    def by_prompt(self, handle=0):
        return {'prompt-fd': GLib.Variant('h', handle)}

    def by_content(self, handle=0):
        message = {'role': GLib.Variant('s', 'user'), 'content-fd': GLib.Variant('h', handle)}
        return {'messages': GLib.Variant('aa{sv}', [message])}

    def ask(self, body, fds):
        """The error's name, of each method alike; None where it was taken."""
        names = set()
        for path, member, signature, arguments in (
                (ROOT, 'Manager.GenerateText', '(sa{sv}a{sv})', (TINY, body, greedy(2))),
                (self.path(TINY), 'Model.Count', '(a{sv}a{sv})', (body, {}))):
            try:
                self.app.call(path, member, signature, arguments, fds=fds)
                names.add(None)
            except Failed as error:
                self.assertTrue(error.text)
                names.add(error.name)
        self.assertEqual(len(names), 1, names)
        return names.pop()

    def tearDown(self):
        self.works()
        super().tearDown()

    def fd(self, fd):
        self.addCleanup(os.close, fd)
        return fd

    def test_bad_text(self):
        for body in (self.by_prompt(), self.by_content()):
            for name, data in BAD_TEXTS.items():
                self.assertEqual(self.ask(body, [self.fd(memory(data))]), 'InvalidText', (name, body))
            self.assertIsNone(self.ask(body, [self.fd(memory('Grüße 🐑'.encode()))]), body)

    def test_bad_text_in_a_stream(self):
        """The call is answered before the text is looked at: the stream says it, and the session is as before."""
        session = self.open_session(TINY)
        fd = self.fd(memory(b'ab\xff'))
        reply, fds = self.app.call_fds(session, 'Session.Generate', '(a{sv}a{sv})', (self.by_prompt(), {}), [os.dup(fd)])
        with os.fdopen(fds.steal_fds()[0], 'rb') as stream:
            self.assertIn(b'org.woolly.Error.InvalidText', stream.read())
        self.assertEqual(self.result(reply[0])[1]['error'], 'org.woolly.Error.InvalidText')
        self.assertEqual(self.tokens(session), [])

    def test_no_file(self):
        read, write = os.pipe()
        write_only = os.open(os.path.join(self.home, 'w'), os.O_WRONLY | os.O_CREAT)
        os.write(write_only, b'text')
        pair = [one.detach() for one in socket.socketpair()]
        wrong = {'pipe': read, 'folder': os.open(self.home, os.O_RDONLY), 'write-only': write_only,
                 'device': os.open('/dev/zero', os.O_RDONLY), 'path': os.open(self.home, os.O_PATH), 'socket': pair[0]}
        for fd in {*wrong.values(), write, *pair}:
            self.fd(fd)
        for body in (self.by_prompt(), self.by_content()):
            for name, fd in wrong.items():
                self.assertEqual(self.ask(body, [fd]), 'InvalidArgs', (name, body))

    def test_bad_handles(self):
        fd = self.fd(memory(b'text'))
        for handle, fds in ((0, []), (1, [fd]), (-1, [fd]), (2**31 - 1, [fd]), (-2**31, [])):
            for body in (self.by_prompt(handle), self.by_content(handle)):
                self.assertEqual(self.ask(body, fds), 'InvalidArgs', (handle, body))
        self.assertIsNone(self.ask(self.by_prompt(1), [fd, self.fd(memory(b'the other text'))]))

    def test_too_large(self):
        for body in (self.by_prompt(), self.by_content()):
            fd = self.fd(os.memfd_create('large'))
            os.truncate(fd, LARGEST + 1)
            self.assertEqual(self.ask(body, [fd]), 'InvalidArgs', body)
            os.truncate(fd, 1 << 62)
            self.assertEqual(self.ask(body, [fd]), 'InvalidArgs', body)
        inline = {'prompt': GLib.Variant('s', 'x' * (1 << 20))}
        self.assertEqual(self.ask(inline, []), 'InvalidArgs')
        text = GLib.Variant('s', 'x' * (1 << 19))
        messages = [{'role': GLib.Variant('s', 'user'), 'content': text}] * 3
        self.assertEqual(self.ask({'messages': GLib.Variant('aa{sv}', messages)}, []), 'InvalidArgs')

    def test_changes_while_it_is_read(self):
        """Shrinks and grows all the time: whatever was read of it, nobody dies."""
        fd = self.fd(os.memfd_create('restless'))
        text = b'all work and no play ' * 20000
        os.pwrite(fd, text, 0)
        stop = threading.Event()

        def change():
            while not stop.is_set():
                os.truncate(fd, 10)
                os.pwrite(fd, text, 0)
        thread = threading.Thread(target=change)
        thread.start()
        try:
            workers = None
            for _ in range(30):
                for body in (self.by_prompt(), self.by_content()):
                    try:
                        self.app.call(self.path(TINY), 'Model.Count', '(a{sv}a{sv})', (body, {}), fds=[fd])
                    except Failed as error:
                        self.assertIn(error.name, ('InvalidArgs', 'InvalidText'))
                workers = workers or self.workers()
                self.assertEqual(self.workers(), workers)
        finally:
            stop.set()
            thread.join()


if __name__ == '__main__':
    woolly_tap.main()
