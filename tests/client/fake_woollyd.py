#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service with the interfaces of introspection/ and no model behind them, for tests of libwoolly and woollyctl.

It answers in known ways: a token is a byte, a generation says the prompt's words again. Prompts that begin with "!" make
it misbehave:

    !error    an ERROR frame after some text
    !die      the stream breaks off, Result says WorkerLost a moment later
    !slow     goes on until it is cancelled or hung up on
    !many N   N frames of text
    !escape   text with control sequences
    !busy     the call itself is refused
    !large    a frame larger than any may be
    !progress load and prefill frames before the text

The interface org.woolly.Test at /org/woolly/Test tells the test what was called and changes the catalogue.
"""
import os
import socket
import struct
import sys

import gi
from gi.repository import Gio, GLib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAME = 'org.woolly.Woolly1'
PATH = '/org/woolly/Woolly1'
TEST_XML = '''<node><interface name="org.woolly.Test">
<method name="GetCalls"><arg type="as" direction="out"/></method>
<method name="AddModel"><arg type="s" direction="in"/></method>
<method name="RemoveModel"><arg type="s" direction="in"/></method>
<method name="SetState"><arg type="s" direction="in"/><arg type="s" direction="in"/></method>
<method name="Exit"/>
</interface></node>'''
MANAGER_XML = '''<node><interface name="org.freedesktop.DBus.ObjectManager">
<method name="GetManagedObjects"><arg type="a{oa{sa{sv}}}" direction="out"/></method>
</interface></node>'''

TEXT, REASONING, TOOL, QUEUE, LOAD, PREFILL, USAGE, END, ERROR = range(1, 10)


def interface(name):
    with open(f'{ROOT}/introspection/{NAME}.{name}.xml', encoding='utf-8') as xml:
        return Gio.DBusNodeInfo.new_for_xml(xml.read()).interfaces[0]


def frame(kind, payload):
    if isinstance(payload, dict):
        payload = GLib.Variant('a{sv}', payload).get_data_as_bytes().get_data()
    elif isinstance(payload, str):
        payload = payload.encode()
    return struct.pack('<IBBH', len(payload), 1, kind, 0) + payload


class Failure(Exception):
    def __init__(self, name, message):
        super().__init__(message)
        self.name = f'org.woolly.Error.{name}'


class Object:
    """One object of the service: methods named as on D-Bus, a dictionary of properties."""

    def __init__(self, service, path, interface_name):
        self.service, self.path = service, path
        self.info = interface(interface_name)
        self.properties = {}
        self.id = service.connection.register_object(path, self.info, self._call, self._get, None)

    def _call(self, connection, sender, path, name, method, params, invocation):
        self.service.calls.append(f'{self.info.name.split(".")[-1]}.{method}')
        fds = invocation.get_message().get_unix_fd_list()
        try:
            value, out = getattr(self, method)(*self._arguments(method, params), fds)
        except Failure as failure:
            invocation.return_dbus_error(failure.name, str(failure))
            return
        except Exception as bug:  # the test must hear of it, and not wait
            invocation.return_dbus_error('org.woolly.Error.Failed', repr(bug))
            raise
        invocation.return_value_with_unix_fd_list(value, out)

    def _arguments(self, method, params):
        return [params.get_child_value(i) for i in range(params.n_children())]

    def _get(self, connection, sender, path, name, prop):
        return self.properties[prop]

    def set(self, **changed):
        self.properties.update(changed)
        self.service.connection.emit_signal(None, self.path, 'org.freedesktop.DBus.Properties', 'PropertiesChanged',
                                            GLib.Variant('(sa{sv}as)', (self.info.name, changed, [])))

    def gone(self):
        self.service.connection.unregister_object(self.id)


def read_fd(fds, handle):
    with os.fdopen(fds.get(handle), 'rb') as file:
        size = os.fstat(file.fileno()).st_size
        return os.pread(file.fileno(), size, 0).decode()


def text_of(body, fds):
    """The prompt, or the messages in a form that shows them."""
    body = body.unpack()
    if 'prompt' in body:
        return body['prompt']
    if 'prompt-fd' in body:
        return read_fd(fds, body['prompt-fd'])
    lines = []
    for message in body.get('messages', []):
        content = message['content'] if 'content' in message else read_fd(fds, message['content-fd'])
        lines.append(f'<{message["role"]}>{content}')
    if body.get('continue', False):
        lines.append('<continue>')
    return '\n'.join(lines)


class Model(Object):
    def __init__(self, service, name, state='available'):
        super().__init__(service, f'{PATH}/models/{name}', 'Model')
        self.properties = {
            'Id': GLib.Variant('s', name), 'Name': GLib.Variant('s', f'The {name}'),
            'Files': GLib.Variant('as', [f'/models/{name}.gguf']), 'Architecture': GLib.Variant('s', 'llama'),
            'Quantization': GLib.Variant('s', 'Q8_0'), 'License': GLib.Variant('s', 'mit'),
            'Organization': GLib.Variant('s', 'The Shepherds'), 'Description': GLib.Variant('s', 'Counts\nsheep\x1b[2J'),
            'Url': GLib.Variant('s', 'https://woolly.example/'), 'Pooling': GLib.Variant('s', 'mean'),
            'Parameters': GLib.Variant('t', 7000000000), 'Size': GLib.Variant('t', 8000000000),
            'ContextLength': GLib.Variant('u', 4096), 'VocabularySize': GLib.Variant('u', 256),
            'Capabilities': GLib.Variant('as', ['generate', 'chat']), 'State': GLib.Variant('s', state),
            'LoadProgress': GLib.Variant('d', 0), 'Device': GLib.Variant('s', ''),
            'MemoryInUse': GLib.Variant('t', 0), 'QueueLength': GLib.Variant('u', 0),
            'LastError': GLib.Variant('(ss)', ('', '')),
        }

    def Load(self, options, fds):
        for key in options.keys():
            if key not in ('activations', 'device'):
                raise Failure('InvalidArgs', f'option {key}: there is no such option')
        self.set(State=GLib.Variant('s', 'loading'))
        GLib.timeout_add(50, lambda: self.set(LoadProgress=GLib.Variant('d', 0.5)))
        GLib.timeout_add(100, lambda: self.set(State=GLib.Variant('s', 'ready'), Device=GLib.Variant('s', 'cpu'),
                                               LoadProgress=GLib.Variant('d', 1)))
        self.properties['MemoryInUse'] = GLib.Variant('t', 12345678)
        return None, None

    def Unload(self, fds):
        self.set(State=GLib.Variant('s', 'available'), Device=GLib.Variant('s', ''))
        self.properties['MemoryInUse'] = GLib.Variant('t', 0)
        return None, None

    def Tokenize(self, body, options, fds):
        return GLib.Variant('(au)', (list(text_of(body, fds).encode()),)), None

    def Detokenize(self, tokens, options, fds):
        return GLib.Variant('(ay)', (bytes(tokens.unpack()),)), None

    def Count(self, body, options, fds):
        return GLib.Variant('(t)', (len(text_of(body, fds).encode()),)), None

    def Render(self, body, fds):
        return GLib.Variant('(sa(tt))', (text_of(body, fds), [(0, 6)])), None

    def ListUsers(self, fds):
        return GLib.Variant('(aa{sv})', ([{'name': GLib.Variant('s', ':1.7'), 'app': GLib.Variant('s', 'editor'),
                                           'kind': GLib.Variant('s', 'host'), 'sessions': GLib.Variant('u', 2),
                                           'generations': GLib.Variant('u', 1), 'holds': GLib.Variant('u', 0)}],)), None


class Generation(Object):
    def __init__(self, service, text, options):
        super().__init__(service, f'{PATH}/generations/{service.number()}', 'Generation')
        self.properties = {'State': GLib.Variant('s', 'generating'), 'QueuePosition': GLib.Variant('u', 0),
                           'Result': GLib.Variant('a{sv}', {})}
        self.options = options.unpack()
        self.socket, self.theirs = socket.socketpair()
        self.ended = False
        self.timer = 0
        self.words = 0
        GLib.idle_add(self.say, text)

    def send(self, kind, payload):
        try:
            self.socket.sendall(frame(kind, payload))
            return True
        except OSError:
            self.end('cancelled', hung_up=True)
            return False

    def usage(self, reason):
        return {'tokens-in': GLib.Variant('u', 3), 'tokens-out': GLib.Variant('u', self.words),
                'seed': GLib.Variant('t', self.options.get('seed', 7)), 'device': GLib.Variant('s', 'cpu'),
                'reason': GLib.Variant('s', reason)}

    def end(self, reason, hung_up=False, error=None, message=None):
        if self.ended:
            return
        self.ended = True
        result = self.usage(reason)
        if error is not None:
            result.update({'error': GLib.Variant('s', error), 'message': GLib.Variant('s', message)})
        self.properties['Result'] = GLib.Variant('a{sv}', result)
        self.set(State=GLib.Variant('s', 'cancelled' if reason == 'cancelled' else 'done'))
        if not hung_up:
            if error is not None:
                self.send(ERROR, {'name': GLib.Variant('s', error), 'message': GLib.Variant('s', message)})
            elif reason == 'cancelled':
                self.send(ERROR, {'name': GLib.Variant('s', 'org.woolly.Error.Cancelled'),
                                  'message': GLib.Variant('s', 'cancelled')})
            else:
                self.send(USAGE, result)
                self.send(END, {'reason': GLib.Variant('s', reason)})
        else:
            self.service.calls.append('hung-up')
        self.socket.close()

    def word(self, text):
        self.words += 1
        return all(self.send(TEXT, text[at:at + 16384]) for at in range(0, max(len(text), 1), 16384))

    def slow(self):
        return not self.ended and self.word(f'{self.words} ')

    def say(self, text):
        command = text.split('>')[-1].split()[0] if text.split('>')[-1].startswith('!') else ''
        if command == '!error':
            self.word('some ')
            self.end('error', error='org.woolly.Error.ContextFull', message='no room is left')
        elif command == '!die':
            self.word('some ')
            self.socket.close()
            GLib.timeout_add(120, lambda: self.end('error', hung_up=True, error='org.woolly.Error.WorkerLost',
                                                   message='the worker died'))
        elif command == '!slow':
            GLib.timeout_add(20, self.slow)
        elif command == '!many':
            for _ in range(int(text.split()[1])):
                if not self.word('word '):
                    return
            self.end('stop')
        elif command == '!large':
            self.word('some ')
            self.send(TEXT, 'x' * 100000)
        elif command == '!escape':
            self.word('a\x1b[31mred\x1b')
            self.word('[0m\x1b]0;title\x07b\u009b1mc\x08\td\n')
            self.end('stop')
        else:
            if command == '!progress':
                for done in (0, 50, 100):
                    self.send(LOAD, {'done': GLib.Variant('t', done), 'total': GLib.Variant('t', 100)})
                self.send(PREFILL, {'done': GLib.Variant('u', 5), 'total': GLib.Variant('u', 9),
                                    'cached': GLib.Variant('u', 0)})
            words = text.split(' ')
            for i, word in enumerate(words[:self.options.get('max-tokens', 512)]):
                if not self.word(word if i == 0 else ' ' + word):
                    return
            self.end('length' if len(words) > self.options.get('max-tokens', 512) else 'stop')

    def Cancel(self, fds):
        self.end('cancelled')
        return None, None

    def Release(self, fds):
        self.end('cancelled')
        self.gone()
        return None, None


class Session(Object):
    def __init__(self, service, model, tokens=b''):
        super().__init__(service, f'{PATH}/sessions/{service.number()}', 'Session')
        self.tokens = tokens
        self.model = model
        self.properties = {'Model': GLib.Variant('o', model), 'State': GLib.Variant('s', 'idle'),
                           'ContextSize': GLib.Variant('u', 4096), 'ContextUsed': GLib.Variant('u', 0)}

    def Generate(self, body, options, fds):
        text = text_of(body, fds)
        self.tokens += text.encode()
        self.properties['ContextUsed'] = GLib.Variant('u', len(self.tokens))
        return self.service.generate(text, options)

    def Fork(self, options, fds):
        copy = Session(self.service, self.model, self.tokens)
        return GLib.Variant('(o)', (copy.path,)), None

    def Truncate(self, count, fds):
        if count.unpack() > len(self.tokens):
            raise Failure('InvalidArgs', f'n_tokens is {count.unpack()}, there are {len(self.tokens)}')
        self.tokens = self.tokens[:count.unpack()]
        return None, None

    def Save(self, handle, fds):
        with os.fdopen(fds.get(handle.get_handle()), 'wb') as file:
            file.write(self.tokens)
        return None, None

    def Restore(self, handle, fds):
        with os.fdopen(fds.get(handle.get_handle()), 'rb') as file:
            self.tokens = file.read()
        return None, None

    def GetTokens(self, fds):
        return GLib.Variant('(au)', (list(self.tokens),)), None

    def Close(self, fds):
        self.gone()
        return None, None


class Manager(Object):
    def __init__(self, service):
        super().__init__(service, PATH, 'Manager')
        self.properties = {'Version': GLib.Variant('s', '9.8.7'), 'InterfaceVersion': GLib.Variant('u', 3),
                           'MemoryInUse': GLib.Variant('t', 1000), 'MemoryBudget': GLib.Variant('t', 4000000)}

    def find(self, name):
        name = name.unpack()
        for model in self.service.models.values():
            if name in (model.path, model.properties['Id'].unpack()) or name == '':
                return model
        raise Failure('NotFound', f"no model named '{name}'; did you mean 'alpha'?")

    def Resolve(self, name, options, fds):
        return GLib.Variant('(o)', (self.find(name).path,)), None

    def OpenSession(self, name, options, fds):
        return GLib.Variant('(o)', (Session(self.service, self.find(name).path).path,)), None

    def Generate(self, name, body, options, fds):
        self.find(name)
        return self.service.generate(text_of(body, fds), options)

    def GenerateText(self, name, body, options, fds):
        self.find(name)
        return GLib.Variant('(sa{sv})', (text_of(body, fds).upper(), {'reason': GLib.Variant('s', 'stop')})), None

    def HoldModel(self, name, options, fds):
        self.find(name)
        ours, theirs = os.pipe()
        out = Gio.UnixFDList.new_from_array([theirs])

        def released(fd, condition):
            self.service.calls.append('hold-released')
            os.close(fd)
            return False
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, ours, GLib.IOCondition.HUP, released)
        return GLib.Variant('(h)', (0,)), out

    def EstimateModel(self, name, options, fds):
        return GLib.Variant('(a{sv})', ({'weights-bytes': GLib.Variant('t', 100), 'kv-bytes': GLib.Variant('t', 10),
                                         'budget-bytes': GLib.Variant('t', 1000), 'fits': GLib.Variant('b', True)},)), None

    def OpenFiles(self, handles, options, fds):
        data = []
        for handle in handles:
            fd = fds.get(handle)
            data.append(os.pread(fd, 100, 0).decode(errors='replace'))
            os.close(fd)
        if not all(part.startswith('GGUF') for part in data):
            raise Failure('InvalidModel', 'this is no GGUF file')
        model = Model(self.service, f'private{self.service.number()}')
        model.properties['Name'] = GLib.Variant('s', '+'.join(data))
        self.service.private[model.path] = model
        self.service.models[model.path] = model
        return GLib.Variant('(o)', (model.path,)), None

    def ListPlugins(self, fds):
        return GLib.Variant('(aa{sv})', ([
            {'name': GLib.Variant('s', 'llama'), 'kind': GLib.Variant('s', 'arch'), 'file': GLib.Variant('s', '/p/llama.so'),
             'state': GLib.Variant('s', 'usable'), 'architectures': GLib.Variant('as', ['llama'])},
            {'name': GLib.Variant('s', ''), 'kind': GLib.Variant('s', 'backend'), 'file': GLib.Variant('s', '/p/old.so'),
             'state': GLib.Variant('s', 'refused'), 'reason': GLib.Variant('s', 'ABI 0 is not ABI 1')}],)), None

    def ListDevices(self, fds):
        return GLib.Variant('(aa{sv})', ([{'id': GLib.Variant('s', 'cpu'), 'backend': GLib.Variant('s', 'cpu'),
                                           'description': GLib.Variant('s', 'A processor'),
                                           'features': GLib.Variant('s', 'avx2'), 'score': GLib.Variant('u', 10),
                                           'memory-total': GLib.Variant('t', 1 << 34),
                                           'memory-free': GLib.Variant('t', 1 << 33)}],)), None


class Job(Object):
    def __init__(self, service, size):
        super().__init__(service, f'{PATH}/jobs/{service.number()}', 'Job')
        self.properties = {'Kind': GLib.Variant('s', 'import'), 'State': GLib.Variant('s', 'running'),
                           'Progress': GLib.Variant('(tt)', (0, size)), 'Model': GLib.Variant('o', '/'),
                           'Error': GLib.Variant('(ss)', ('', ''))}
        GLib.timeout_add(50, lambda: self.set(Progress=GLib.Variant('(tt)', (size // 2, size))))
        GLib.timeout_add(100, self.done)

    def done(self):
        model = self.service.add_model(f'imported{self.service.number()}')
        self.set(State=GLib.Variant('s', 'done'), Model=GLib.Variant('o', model.path))

    def Cancel(self, fds):
        return None, None

    def Release(self, fds):
        self.gone()
        return None, None


class Admin(Object):
    def __init__(self, service):
        super().__init__(service, PATH, 'Admin')

    def Import(self, handle, options, fds):
        fd = fds.get(handle.get_handle())
        size = os.fstat(fd).st_size
        os.close(fd)
        return GLib.Variant('(o)', (Job(self.service, size).path,)), None

    def Pull(self, source, options, fds):
        raise Failure('NotSupported', 'no downloader is installed')

    def Remove(self, path, fds):
        self.service.remove_model(path.unpack())
        return None, None

    def Unload(self, path, force, fds):
        if not force.unpack():
            raise Failure('Busy', 'the model generates')
        self.service.models[path.unpack()].Unload(None)
        return None, None

    def ClearQuarantine(self, path, fds):
        return None, None

    def GetSettings(self, fds):
        return GLib.Variant('(a{sv})', ({'memory.budget': GLib.Variant('t', 5)},)), None

    def Reload(self, fds):
        return None, None

    def Quit(self, fds):
        GLib.idle_add(self.service.loop.quit)
        return None, None


class Service:
    def __init__(self):
        self.loop = GLib.MainLoop()
        self.connection = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.calls, self.models, self.private, self._number = [], {}, {}, 0
        self.manager = Manager(self)
        self.admin = Admin(self)
        node = Gio.DBusNodeInfo.new_for_xml(MANAGER_XML)
        self.connection.register_object(PATH, node.interfaces[0], self._objects, None, None)
        node = Gio.DBusNodeInfo.new_for_xml(TEST_XML)
        self.connection.register_object('/org/woolly/Test', node.interfaces[0], self._test, None, None)
        for name in ('beta', 'alpha'):
            model = Model(self, name)
            self.models[model.path] = model
        Gio.bus_own_name_on_connection(self.connection, NAME, Gio.BusNameOwnerFlags.NONE, None,
                                       lambda *_: self.loop.quit())

    def number(self):
        self._number += 1
        return self._number

    def generate(self, text, options):
        if text.startswith('!busy'):
            raise Failure('Busy', 'too many generations')
        generation = Generation(self, text, options)
        out = Gio.UnixFDList.new_from_array([generation.theirs.detach()])
        return GLib.Variant('(oh)', (generation.path, 0)), out

    def listed(self):
        return {path: {model.info.name: model.properties} for path, model in self.models.items()
                if path not in self.private}

    def _objects(self, connection, sender, path, name, method, params, invocation):
        self.calls.append('ObjectManager.GetManagedObjects')
        invocation.return_value(GLib.Variant('(a{oa{sa{sv}}})', (self.listed(),)))

    def signal(self, name, params):
        self.connection.emit_signal(None, PATH, 'org.freedesktop.DBus.ObjectManager', name, params)

    def add_model(self, name):
        model = Model(self, name)
        self.models[model.path] = model
        self.signal('InterfacesAdded', GLib.Variant('(oa{sa{sv}})', (model.path, {model.info.name: model.properties})))
        return model

    def remove_model(self, path):
        model = self.models.pop(path)
        self.signal('InterfacesRemoved', GLib.Variant('(oas)', (path, [model.info.name])))
        model.gone()

    def _test(self, connection, sender, path, name, method, params, invocation):
        value = None
        if method == 'GetCalls':
            value = GLib.Variant('(as)', (self.calls,))
        elif method == 'AddModel':
            self.add_model(params[0])
        elif method == 'RemoveModel':
            self.remove_model(f'{PATH}/models/{params[0]}')
        elif method == 'SetState':
            self.models[f'{PATH}/models/{params[0]}'].set(State=GLib.Variant('s', params[1]))
        elif method == 'Exit':
            GLib.idle_add(self.loop.quit)
        invocation.return_value(value)


if __name__ == '__main__':
    Service().loop.run()
    sys.exit(0)
