# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records the marks of a process and its children as sysprof does, without its rights and its service.

    with sysprof_recorder.Recorder() as recorder:
        subprocess.run(command, env={**os.environ, **recorder.environment}, pass_fds=recorder.fds)
    recorder.marks()

Each thread that has something to tell asks through a socket for a memory file: a page that begins with four numbers of 32
bits (where the reader is, where the writer is, where the body begins, how long it is), then the body, in which frames lie
behind each other. Here the body is so long that nothing has to be read before the end.
"""
import collections
import mmap
import os
import socket
import struct
import threading

REQUEST = b'CreatRing\0'
PAGE = mmap.PAGESIZE
BODY = 64 << 20
HEADER = struct.Struct('<IIII')
FRAME = struct.Struct('<HhiqB3xI')  # length, CPU, process, time, type
MARK = struct.Struct('<q24s40s')  # duration, group, name; a message follows
MARK_TYPE = 10

Mark = collections.namedtuple('Mark', 'pid begin end group name message')


def _text(field):
    return field.split(b'\0', 1)[0].decode()


def _read(ring):
    """The marks of one memory file."""
    with mmap.mmap(ring, PAGE + BODY, prot=mmap.PROT_READ) as memory:
        _head, tail, begin, _size = HEADER.unpack_from(memory)
        at = begin
        while at < begin + tail:
            length, _cpu, pid, time, kind, _ = FRAME.unpack_from(memory, at)
            assert length >= FRAME.size and length % 8 == 0 and at + length <= begin + tail, 'a frame is broken'
            if kind == MARK_TYPE:
                duration, group, name = MARK.unpack_from(memory, at + FRAME.size)
                message = memory[at + FRAME.size + MARK.size:at + length]
                yield Mark(pid, time, time + duration, _text(group), _text(name), _text(message))
            at += length


class Recorder:
    """What a process is recorded with: its environment, and descriptors that it is to inherit."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair()
        self.fds = (self.theirs.fileno(),)
        self.environment = {'SYSPROF_CONTROL_FD': str(self.theirs.fileno())}
        self.rings = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _serve(self):
        while self.ours.recv(len(REQUEST), socket.MSG_WAITALL) == REQUEST:
            ring = os.memfd_create('ring')
            os.ftruncate(ring, PAGE + BODY)
            os.pwrite(ring, HEADER.pack(0, 0, PAGE, BODY), 0)
            self.rings.append(ring)
            socket.send_fds(self.ours, [b'\0'], [ring])

    def stop(self):
        """No thread gets a file any more; what has one goes on."""
        self.ours.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.ours.close()
        self.theirs.close()

    def marks(self):
        """All marks so far, by their beginning."""
        return sorted((mark for ring in self.rings for mark in _read(ring)), key=lambda mark: mark.begin)

    def close(self):
        for ring in self.rings:
            os.close(ring)
        self.rings = []
