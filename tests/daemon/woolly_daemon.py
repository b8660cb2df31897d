# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real woollyd on a bus of the test's own, with the worker that computes nothing (fake_worker.py)."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from gi.repository import Gio, GLib

HERE = os.path.dirname(os.path.abspath(__file__))
DAEMON = os.environ['WOOLLY_TEST_DAEMON']
NAME = 'org.woolly.Woolly1'
ROOT = '/org/woolly/Woolly1'
BUS_CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
'''


class Failed(Exception):
    """An error over D-Bus: its name, without the prefix for ours, and its text."""

    def __init__(self, name, text):
        super().__init__(f'{name}: {text}')
        self.name = name.replace('org.woolly.Error.', '')
        self.text = text


class Client:
    """A connection of its own."""
    FLAGS = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION

    def __init__(self, address, connected=None):
        if connected is None:
            self.connection = Gio.DBusConnection.new_for_address_sync(address, self.FLAGS, None, None)
        else:
            stream = Gio.Socket.new_from_fd(connected).connection_factory_create_connection()
            self.connection = Gio.DBusConnection.new_sync(stream, None, self.FLAGS, None, None)
        self.connection.set_exit_on_close(False)

    def name(self):
        return self.connection.get_unique_name()

    def close(self):
        self.connection.close_sync(None)

    def call_fds(self, path, member, signature='()', arguments=(), fds=(), timeout=20000, flags=0):
        interface, method = member.rsplit('.', 1)
        if '.' not in interface:
            interface = f'{NAME}.{interface}'
        body = GLib.Variant(signature, arguments)
        try:
            reply, out = self.connection.call_with_unix_fd_list_sync(
                NAME, path, interface, method, body, None, Gio.DBusCallFlags(flags), timeout,
                Gio.UnixFDList.new_from_array(list(fds)) if fds else None, None)
        except GLib.Error as error:
            name = Gio.DBusError.get_remote_error(error)
            if name is None:
                raise
            raise Failed(name, error.message.replace(f'GDBus.Error:{name}: ', '')) from None
        return reply.unpack(), out

    def call(self, path, member, signature='()', arguments=(), fds=(), **more):
        reply, _ = self.call_fds(path, member, signature, arguments, [os.dup(fd) for fd in fds], **more)
        return reply[0] if len(reply) == 1 else reply

    def manager(self, method, signature='()', arguments=(), **more):
        return self.call(ROOT, f'Manager.{method}', signature, arguments, **more)

    def admin(self, method, signature='()', arguments=(), **more):
        return self.call(ROOT, f'Admin.{method}', signature, arguments, **more)

    def get(self, path, interface, name):
        return self.call(path, 'org.freedesktop.DBus.Properties.Get', '(ss)', (f'{NAME}.{interface}', name))

    def models(self):
        """id -> properties"""
        objects = self.call(ROOT, 'org.freedesktop.DBus.ObjectManager.GetManagedObjects')
        rows = [interfaces[f'{NAME}.Model'] for interfaces in objects.values()]
        return {row['Id']: row for row in rows}

    def generate(self, model, prompt, session=None, **options):
        """(object path, stream)"""
        body = {'prompt': GLib.Variant('s', prompt)}
        if session:
            reply, fds = self.call_fds(session, 'Session.Generate', '(a{sv}a{sv})', (body, options))
        else:
            reply, fds = self.call_fds(ROOT, 'Manager.Generate', '(sa{sv}a{sv})', (model, body, options))
        return reply[0], Stream(fds.steal_fds()[0])

    def text(self, model, prompt, **options):
        options = {'timeout-ms': GLib.Variant('u', 100000), **options}  # a sanitizer takes its time
        return self.manager('GenerateText', '(sa{sv}a{sv})', (model, {'prompt': GLib.Variant('s', prompt)}, options),
                            timeout=120000)


class Stream:
    """Frames of a stream, as (type, value)."""
    NAMES = [None, 'text', 'reasoning', 'tool-call', 'queue', 'load', 'prefill', 'usage', 'end', 'error', 'logprobs']

    def __init__(self, fd):
        self.fd = fd
        self.frames = []

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def exactly(self, n_bytes):
        data = b''
        while len(data) < n_bytes:
            part = os.read(self.fd, n_bytes - len(data))
            if not part:
                break
            data += part
        return data

    def next(self):
        header = self.exactly(8)
        if not header:
            self.close()
            return None
        length, version, kind, _flags = struct.unpack('<IBBH', header)
        assert version == 1, header
        payload = self.exactly(length)
        assert len(payload) == length, 'a frame was cut'
        if kind > 2:
            payload = GLib.Variant.new_from_bytes(GLib.VariantType('a{sv}'), GLib.Bytes.new(payload), False)
            assert payload.is_normal_form()
            payload = payload.unpack()
        else:
            payload = payload.decode()
        self.frames.append((self.NAMES[kind], payload))
        return self.frames[-1]

    def all(self):
        while self.next():
            pass
        return self.frames

    def until(self, kind):
        frame = self.next()
        while frame and frame[0] != kind:
            frame = self.next()
        return frame


class DaemonCase(unittest.TestCase):
    """Each case has a bus, a home and a woollyd of its own."""
    environment = {}
    fds = ()  # that woollyd inherits
    config = ''
    started = True

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix='woolly-test-')
        self.addCleanup(shutil.rmtree, self.home)
        self.folder = self.make('data/woolly/models')
        self.plugins = self.make('plugins')
        self.env = {
            **os.environ, 'HOME': self.home, 'XDG_DATA_HOME': self.make('data'), 'XDG_CONFIG_HOME': self.make('config'),
            'WOOLLY_MODEL_PATH': '', 'WOOLLY_PLUGIN_PATH': self.plugins,
            'WOOLLY_WORKER': os.path.join(HERE, 'fake_worker.py'),
            'WOOLLY_FAKE_BEHAVIOUR': os.path.join(self.home, 'behaviour.json'),
            'WOOLLY_CONFIG': os.path.join(self.home, 'woollyd.conf'), **self.environment,
        }
        self.env.pop('DBUS_SESSION_BUS_ADDRESS', None)
        self.write_config(self.config)
        self.bus = self.daemon = None
        self.start_bus()
        if self.started:
            self.start()

    def make(self, name):
        path = os.path.join(self.home, name)
        os.makedirs(path, exist_ok=True)
        return path

    def write_config(self, text):
        with open(os.path.join(self.home, 'woollyd.conf'), 'w') as file:
            file.write(text)

    def sanitized(self):
        with open(f'/proc/{self.daemon.pid}/maps') as file:
            return any(name in line for line in file for name in ('libasan', 'libtsan', 'libubsan', 'valgrind'))

    def behave(self, **values):
        path = os.path.join(self.home, 'behaviour.json')
        with open(path + '.new', 'w') as file:
            json.dump(values, file)
        os.rename(path + '.new', path)

    def model(self, name, content=None, folder=None):
        path = os.path.join(folder or self.folder, name + '.gguf')
        with open(path + '.new', 'w') as file:
            file.write(content if content is not None else f'FAKE {name}')
        os.rename(path + '.new', path)
        return path

    def start_bus(self):
        services = self.make('services')
        with open(os.path.join(services, f'{NAME}.service'), 'w') as file:
            file.write(f'[D-BUS Service]\nName={NAME}\nExec={DAEMON} --verbose\n')
        config = os.path.join(self.home, 'bus.conf')
        with open(config, 'w') as file:
            file.write(BUS_CONFIG.format(services=services))
        with open(os.path.join(self.home, 'bus.log'), 'w') as log:
            self.bus = subprocess.Popen(['dbus-daemon', f'--config-file={config}', '--nofork', '--print-address'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                                        env=self.env)
        self.address = self.bus.stdout.readline().strip()
        self.env['DBUS_SESSION_BUS_ADDRESS'] = self.address
        self.addCleanup(self.stop_bus)

    def stop_bus(self):
        if self.bus is not None:
            self.bus.terminate()
            self.bus.wait()
            self.bus.stdout.close()
        self.bus = None

    def start(self, *arguments):
        log = open(os.path.join(self.home, 'woollyd.log'), 'a')
        process = subprocess.Popen([DAEMON, '--verbose', *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=self.env, pass_fds=self.fds)
        log.close()
        self.addCleanup(self.stop, process)
        self.daemon = process
        client = self.client()
        self.until(lambda: self.owner(client) or process.poll() is not None)
        return process

    def stop(self, process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.fail('woollyd did not end')
        if process.returncode not in (0, -signal.SIGKILL):
            self.fail(f"woollyd ended with {process.returncode}\n{self.log()}")

    def log(self):
        path = os.path.join(self.home, 'woollyd.log')
        if not os.path.exists(path):
            return ''
        with open(path, errors='replace') as file:
            return file.read()

    def client(self):
        client = Client(self.address)
        self.addCleanup(lambda: client.connection.is_closed() or client.close())
        return client

    def other_app(self):
        """A client for which another process has connected: for woollyd, another app."""
        path = self.address.split('path=')[1].split(',')[0]
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(path)
            socket.send_fds(theirs, [b'x'], [connection.fileno()])
            signal.pause()
            os._exit(0)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        _data, fds, _flags, _address = socket.recv_fds(ours, 1, 1)
        ours.close()
        theirs.close()
        client = Client(self.address, fds[0])
        self.addCleanup(lambda: client.connection.is_closed() or client.close())
        return client

    def owner(self, client):
        try:
            return client.connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                                               'GetNameOwner', GLib.Variant('(s)', (NAME,)), None, 0, 5000, None).unpack()[0]
        except GLib.Error:
            return None

    def until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                self.fail('it did not come about\n' + self.log()[-4000:])
            time.sleep(0.01)

    def state(self, client, name, *states):
        """Waits until the model is in one of these states; its properties."""
        def there():
            row = client.models().get(name)
            return row if row and row['State'] in states else None
        return self.until(there)

    def workers(self):
        """Processes of workers that live."""
        pids = []
        for pid in os.listdir('/proc'):
            if not pid.isdigit():
                continue
            try:
                with open(f'/proc/{pid}/stat') as file:
                    state, parent = file.read().rsplit(')', 1)[1].split()[:2]
            except OSError:
                continue
            if int(parent) == self.daemon.pid and state != 'Z':
                pids.append(int(pid))
        return pids

    def assertFails(self, error_name, function, /, *arguments, **more):
        try:
            function(*arguments, **more)
        except Failed as error:
            self.assertEqual(error.name, error_name, error.text)
            return error.text
        self.fail(f'{error_name} did not come')


def path_of(name):
    return ROOT + '/models/' + ''.join(c if c.isascii() and c.isalnum() else f'_{ord(c):02x}' for c in name)
