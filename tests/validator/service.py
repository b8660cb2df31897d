# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service as an app sees it, and one of our own where none runs."""
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time

from gi.repository import Gio, GLib

NAME, ROOT = 'org.woolly.Woolly1', '/org/woolly/Woolly1'
TEXT, END, ERROR, LOGPROBS = 1, 8, 9, 10  # frame types, from introspection/woolly-stream.h
LONG_MS = 600000
SETTLED = ('ready', 'available', 'failed')
PLACES = ('/usr/libexec/woollyd', '/usr/local/libexec/woollyd')
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <servicedir>{services}</servicedir>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"""


class NoService(Exception):
    """There is none, and none can be started."""


def plain(**options):
    """Python values as an a{sv}."""
    kinds = {bool: 'b', int: 'u', float: 'd', str: 's'}
    return {key.replace('_', '-'): GLib.Variant('t' if key == 'seed' else kinds[type(value)], value)
            for key, value in options.items()}


class PrivateBus:
    """A bus and folders of their own; the service is started by it and ends with it."""

    def __init__(self, daemon, models):
        self.folder = tempfile.mkdtemp(prefix='woolly-validation-')
        services = os.path.join(self.folder, 'services')
        os.mkdir(services)
        with open(os.path.join(services, f'{NAME}.service'), 'w', encoding='utf-8') as file:
            file.write(f'[D-BUS Service]\nName={NAME}\nExec={daemon}\n')
        config = os.path.join(self.folder, 'bus.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(BUS.format(services=services))
        environment = dict(os.environ)
        for name in ('DATA', 'CONFIG', 'STATE', 'CACHE', 'RUNTIME'):
            path = os.path.join(self.folder, name.lower())
            os.mkdir(path, 0o700)
            environment[f'XDG_{name}_{"DIR" if name == "RUNTIME" else "HOME"}'] = path
        if models:
            environment['WOOLLY_MODEL_PATH'] = ':'.join(models)
        with open(os.path.join(self.folder, 'log'), 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen(['dbus-daemon', f'--config-file={config}', '--print-address', '--nofork'],
                                            stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        self.address = self.process.stdout.readline().strip()

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Service:
    """A connection; close() ends what was started for it."""

    def __init__(self, daemon=None, models=(), private=False):
        self.bus = None
        self.private = None
        if not private:
            self.bus = self.running()
        if self.bus is None:
            self.private = PrivateBus(self.find(daemon), models)
            flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
            self.bus = Gio.DBusConnection.new_for_address_sync(self.private.address, flags, None, None)
            self.bus.set_exit_on_close(False)
        self.version = self.get(ROOT, 'Manager', 'Version')

    @staticmethod
    def running():
        """The session's bus, where the service runs on it or can be started by it."""
        try:
            bus = Gio.bus_get_sync(Gio.BusType.SESSION)
            for method in ('ListNames', 'ListActivatableNames'):
                names = bus.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', method, None,
                                      GLib.VariantType('(as)'), Gio.DBusCallFlags.NONE, -1, None).unpack()[0]
                if NAME in names:
                    return bus
        except GLib.Error:
            pass
        return None

    @staticmethod
    def find(daemon):
        places = [daemon] if daemon else [os.environ.get('WOOLLY_DAEMON'), *PLACES]
        for place in places:
            if place and os.access(place, os.X_OK):
                return os.path.abspath(place)
        raise NoService('the service does not run, and there is no woollyd to start: --daemon or WOOLLY_DAEMON names one')

    def close(self):
        if self.private is not None:
            self.bus.close_sync(None)
            self.private.close()

    def call(self, path, member, signature='()', arguments=()):
        """The reply and its descriptors."""
        interface, method = member.rsplit('.', 1)
        if '.' not in interface:
            interface = f'{NAME}.{interface}'
        reply, fds = self.bus.call_with_unix_fd_list_sync(NAME, path, interface, method, GLib.Variant(signature, arguments),
                                                          None, Gio.DBusCallFlags.NONE, LONG_MS, None, None)
        return reply.unpack(), fds

    def get(self, path, interface, name):
        return self.call(path, 'org.freedesktop.DBus.Properties.Get', '(ss)', (f'{NAME}.{interface}', name))[0][0]

    def model(self, name):
        return self.call(ROOT, 'Manager.Resolve', '(sa{sv})', (name, {}))[0][0]

    def facts(self, path):
        return self.call(path, 'org.freedesktop.DBus.Properties.GetAll', '(s)', (f'{NAME}.Model',))[0][0]

    def wait(self, path, *states):
        deadline = time.monotonic() + LONG_MS / 1000
        while time.monotonic() < deadline:
            state = self.get(path, 'Model', 'State')
            if state in states:
                return state
            if state == 'failed':
                raise RuntimeError('the model cannot be loaded: ' + self.get(path, 'Model', 'LastError')[1])
            time.sleep(0.002)
        raise RuntimeError(f'the model did not become {" or ".join(states)} in {LONG_MS // 1000} s')

    def load(self, path):
        self.call(path, 'Model.Load', '(a{sv})', ({},))
        self.wait(path, 'ready')

    def unload(self, path):
        try:
            self.call(path, 'Model.Unload')
        except GLib.Error:
            pass  # it was not held by us
        if self.get(path, 'Model', 'State') != 'available':
            self.call(ROOT, 'Admin.Unload', '(ob)', (path, False))
        self.wait(path, 'available')

    def threads(self):
        """How many the service computes with."""
        return self.call(ROOT, 'Admin.GetSettings')[0][0]['compute.threads'] or n_cores()

    def generate(self, name, prompt, ret_tokens=None, **options):
        """(seconds at which each piece of text came, text, result); with the option top-logprobs also what is told of
        each token, in the list @ret_tokens."""
        begin = time.monotonic()
        (path, _), fds = self.call(ROOT, 'Manager.Generate', '(sa{sv}a{sv})',
                                   (name, {'prompt': GLib.Variant('s', prompt)}, plain(**options)))
        times, text = [], ''
        for fd in fds.steal_fds():
            with open(fd, 'rb', buffering=0) as stream:
                for kind, payload in frames(stream):
                    if kind == TEXT:
                        times.append(time.monotonic() - begin)
                        text += payload.decode()
                    elif kind == LOGPROBS and ret_tokens is not None:
                        ret_tokens.append(members(payload))
                    elif kind == ERROR:
                        raise RuntimeError('{name}: {message}'.format(**members(payload)))
        while self.get(path, 'Generation', 'State') not in ('done', 'cancelled', 'failed'):
            time.sleep(0.002)
        result = self.get(path, 'Generation', 'Result')
        self.call(path, 'Generation.Release')
        return times, text, result

    def processes(self):
        """The daemon and its workers."""
        daemon = self.bus.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                                    'GetConnectionUnixProcessID', GLib.Variant('(s)', (NAME,)), GLib.VariantType('(u)'),
                                    Gio.DBusCallFlags.NONE, -1, None).unpack()[0]
        found = [daemon]
        for entry in os.listdir('/proc'):
            if entry.isdigit() and parent_of(entry) == daemon:
                found.append(int(entry))
        return found


def n_cores():
    """Physical ones that we may run on."""
    return len({core_of(cpu) for cpu in os.sched_getaffinity(0)})


def core_of(cpu):
    """The first CPU of its core; itself where the kernel does not tell."""
    try:
        with open(f'/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list', encoding='ascii') as file:
            return int(re.match(r'\d+', file.read()).group())
    except (OSError, AttributeError):
        return cpu


def members(payload):
    return GLib.Variant.new_from_bytes(GLib.VariantType('a{sv}'), GLib.Bytes.new(payload), False).unpack()


def frames(stream):
    """A frame is a header of 8 bytes, little-endian, and its payload."""
    while True:
        header = exactly(stream, 8)
        length, _version, kind, _flags = struct.unpack('<IBBH', header)
        yield kind, exactly(stream, length)
        if kind in (END, ERROR):
            return


def exactly(stream, count):
    data = b''
    while len(data) < count:
        piece = stream.read(count - len(data))
        if not piece:
            raise RuntimeError('the stream broke off')
        data += piece
    return data


def parent_of(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            return int(file.read().rsplit(')', 1)[1].split()[1])
    except (OSError, IndexError, ValueError):
        return None
