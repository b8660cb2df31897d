#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""List the models, open a session, generate, read the stream: with gi and Gio alone."""
import os
import struct
import sys

from gi.repository import Gio, GLib

NAME, PATH = 'org.woolly.Woolly1', '/org/woolly/Woolly1'
TEXT, END, ERROR = 1, 8, 9  # frame types, from introspection/woolly-stream.h

bus = Gio.bus_get_sync(Gio.BusType.SESSION)


def call(path, interface, method, params, reply):
    """A call, and the file descriptors that came with its answer."""
    return bus.call_with_unix_fd_list_sync(NAME, path, interface, method, params, GLib.VariantType(reply),
                                           Gio.DBusCallFlags.NONE, -1, None, None)


def read_exactly(fd, count):
    data = b''
    while len(data) < count:
        piece = os.read(fd, count - len(data))
        if not piece:
            raise EOFError('the stream broke off; the property Result of the generation says why')
        data += piece
    return data


def read_text(fd):
    """Yields text until the stream ends. A frame is a header of 8 bytes, little-endian, and its payload."""
    while True:
        length, version, kind, _flags = struct.unpack('<IBBH', read_exactly(fd, 8))
        payload = read_exactly(fd, length)
        if version != 1:
            raise ValueError(f'frames of version {version} are new to this program')
        if kind == TEXT:
            yield payload.decode()
        elif kind == END:
            return
        elif kind == ERROR:
            error = GLib.Variant.new_from_bytes(GLib.VariantType('a{sv}'), GLib.Bytes.new(payload), False).unpack()
            raise RuntimeError(f'{error["name"]}: {error["message"]}')


models, _ = call(PATH, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects', None, '(a{oa{sa{sv}}})')
for path, interfaces in models.unpack()[0].items():
    print(interfaces[f'{NAME}.Model']['Id'], interfaces[f'{NAME}.Model']['State'], file=sys.stderr)

# The empty name is the default model.
answer, _ = call(PATH, f'{NAME}.Manager', 'OpenSession', GLib.Variant('(sa{sv})', ('', {})), '(o)')
session = answer.unpack()[0]

messages = [{'role': GLib.Variant('s', 'user'), 'content': GLib.Variant('s', sys.argv[1])}]
options = {'temperature': GLib.Variant('d', 0), 'max-tokens': GLib.Variant('u', 40)}
answer, fds = call(session, f'{NAME}.Session', 'Generate',
                   GLib.Variant('(a{sv}a{sv})', ({'messages': GLib.Variant('aa{sv}', messages)}, options)), '(oh)')
stream = fds.get(answer.get_child_value(1).get_handle())
for text in read_text(stream):
    print(text, end='', flush=True)
print()
os.close(stream)
call(session, f'{NAME}.Session', 'Close', None, '()')
