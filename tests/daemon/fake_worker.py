#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker that computes nothing: what it does stands in its "model files", in the prompts, and in WOOLLY_FAKE_BEHAVIOUR.

Model file:  "FAKE name" is sound; "BAD" is refused; "CRASH" ends the probe by a signal; "HANG" never answers; "HANG-ONCE FILE"
             does not as long as it finds that file, which it removes; "NOISE" answers with what is no GVariant; "FLOOD"
             answers without end.
Behaviour:   a JSON file that is read at each step: {"open": …, "load": …}, each "ok", "crash", "error", "hang" or
             "wrong-type"; {"load-ms": N} makes a load last, {"session-ms": N} the opening of a session.
Prompt:      "say TEXT" streams the text; "wait" generates until it is cancelled; "wait-stuck" does and ignores that;
             "crash" dies in the middle; "die-first FILE" dies before it begins, as often as it finds that file, which it
             removes; "say-and-die" dies as soon as all is said; "fail" ends with an error; "flood" sends signals
             without end; "shout" sends a long one; "lie" sends nonsense.
Each session keeps its prompts: one token for each byte.
"""
import json
import os
import signal
import struct
import sys
import time

from gi.repository import Gio, GLib

HERE = os.path.dirname(os.path.abspath(__file__))
XML = os.path.join(HERE, '..', '..', 'introspection', 'org.woolly.Worker1.xml')
PATH = '/org/woolly/Worker1'
INFO = {
    'Name': GLib.Variant('s', 'fake'), 'Architecture': GLib.Variant('s', 'fake'),
    'Quantization': GLib.Variant('s', 'F32'), 'License': GLib.Variant('s', ''),
    'Parameters': GLib.Variant('t', 7), 'ContextLength': GLib.Variant('u', 1024),
    'VocabularySize': GLib.Variant('u', 256), 'Capabilities': GLib.Variant('as', ['generate', 'chat', 'nonsense']),
    'WeightsBytes': GLib.Variant('t', 4 << 20), 'KvBytesPerPosition': GLib.Variant('t', 1024),
}


def behaviour():
    path = os.environ.get('WOOLLY_FAKE_BEHAVIOUR', '')
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return json.load(file)


def crash():
    os.kill(os.getpid(), signal.SIGSEGV)


def probe_answer(dictionary):
    os.write(3, GLib.Variant('a{sv}', dictionary).get_data_as_bytes().get_data())


def probe_error(name, message):
    probe_answer({'error-name': GLib.Variant('s', 'org.woolly.Error.' + name),
                  'error-message': GLib.Variant('s', message)})
    sys.exit(1)


def misbehave(*arguments):
    word = arguments[0]
    if word == 'CRASH':
        crash()
    if word == 'HANG':
        time.sleep(1000)
    if word == 'HANG-ONCE' and os.path.exists(arguments[1]):
        os.unlink(arguments[1])
        time.sleep(1000)
    if word == 'NOISE':
        os.write(3, b'\xff' * 100)
        sys.exit(0)
    while word == 'FLOOD':
        os.write(3, b'x' * 65536)


def probe(arguments):
    if arguments[0] == 'plugin':
        with open(arguments[1]) as file:
            word = file.read().split()
        misbehave(*word)
        if word[0] == 'BAD':
            probe_error('Failed', 'no plugin at all')
        device = {'id': GLib.Variant('s', word[1]), 'backend': GLib.Variant('s', word[0]),
                  'score': GLib.Variant('u', int(word[2])), 'secret': GLib.Variant('s', 'not in the table')}
        probe_answer({'name': GLib.Variant('s', word[0]), 'kind': GLib.Variant('s', 'backend'),
                      'state': GLib.Variant('s', 'usable'), 'file': GLib.Variant('s', '/not/true'),
                      'devices': GLib.Variant('aa{sv}', [device])})
        sys.exit(0)
    text = os.pread(4, 100, 0).decode(errors='replace')
    misbehave(text.split()[0] if text.split() else '')
    if not text.startswith('FAKE'):
        probe_error('InvalidModel', 'this is no model')
    probe_answer({**INFO, 'Name': GLib.Variant('s', text[5:].strip())})
    sys.exit(0)


class Worker:
    def __init__(self):
        socket = Gio.Socket.new_from_fd(3)
        stream = socket.connection_factory_create_connection()
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_SERVER | Gio.DBusConnectionFlags.DELAY_MESSAGE_PROCESSING
        self.connection = Gio.DBusConnection.new_sync(stream, Gio.dbus_generate_guid(), flags, None, None)
        self.connection.connect('closed', lambda *_: os._exit(0))
        with open(XML) as file:
            interface = Gio.DBusNodeInfo.new_for_xml(file.read()).interfaces[0]
        self.connection.register_object(PATH, interface, self.call, None, None)
        self.connection.start_message_processing()
        self.sessions = {}
        self.waiting = {}
        self.limits = []

    def call(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        fds = invocation.get_message().get_unix_fd_list()
        fds = fds.steal_fds() if fds else []  # a copy that Python forgets to close would keep a stream open
        reply = getattr(self, method)(parameters.unpack(), fds, invocation)
        for fd in fds:
            os.close(fd)
        if reply is not False:
            invocation.return_value(reply)

    def refuse(self, invocation, name, message):
        invocation.return_dbus_error('org.woolly.Error.' + name, message)
        return False

    def step(self, name, invocation):
        """False where the call is answered, or never will be."""
        word = behaviour().get(name, 'ok')
        if word == 'crash':
            crash()
        if word == 'error':
            return self.refuse(invocation, 'NoMemory', f'{name} was told to fail')
        if word == 'invalid':
            return self.refuse(invocation, 'InvalidModel', f'{name} found a damaged file')
        if word == 'hang':
            return False
        if word == 'wrong-type':  # GDBus would refuse to send it as an answer: say it by hand
            message = Gio.DBusMessage.new_method_reply(invocation.get_message())
            message.set_body(GLib.Variant('(s)', ('not what you think',)))
            self.connection.send_message(message, Gio.DBusSendMessageFlags.NONE)
            return False
        return True

    def Open(self, arguments, fds, invocation):
        return self.step('open', invocation) and GLib.Variant('(a{sv})', (INFO,))

    def Load(self, arguments, _fds, invocation):
        if not self.step('load', invocation):
            return False
        self.options = arguments[0]
        left = behaviour().get('load-ms', 0)
        total = 4 << 20
        info = {'device': GLib.Variant('s', 'fake'), 'weights-bytes': GLib.Variant('t', total),
                'kv-bytes': GLib.Variant('t', 1 << 20), 'max-context': GLib.Variant('u', 1024)}

        def tick(done):
            if done >= left:
                invocation.return_value(GLib.Variant('(a{sv})', (info,)))
                return
            self.emit('LoadProgress', GLib.Variant('(tt)', (total * done // left, total)))
            GLib.timeout_add(100, tick, done + 100)
        tick(0)
        return False

    def emit(self, name, parameters):
        self.connection.emit_signal(None, PATH, 'org.woolly.Worker1', name, parameters)

    def body(self, arguments, fds):
        fd = fds[arguments]
        data = os.pread(fd, os.fstat(fd).st_size, 0)
        return GLib.Variant.new_from_bytes(GLib.VariantType('a{sv}'), GLib.Bytes.new(data), False).unpack()

    def Tokenize(self, arguments, fds, _invocation):
        body = self.body(arguments[0], fds)
        text = body.get('prompt', '').encode()
        if 'prompt-fd' in body:
            fd = fds[arguments[1][body['prompt-fd']]]
            text = os.pread(fd, 1 << 20, 0)
        return GLib.Variant('(au)', (list(text),))

    def Detokenize(self, arguments, _fds, _invocation):
        return GLib.Variant('(ay)', (bytes(token & 255 for token in arguments[0]),))

    def Render(self, arguments, fds, _invocation):
        body = self.body(arguments[0], fds)
        text = ''.join(message['content'] for message in body['messages'])
        if text == 'shout':  # more than the bus would take from woollyd once its own header is added
            text = 'x' * (100 << 20)
        if text == 'salt':
            text = str(arguments[2].get('salt', 0))
        return GLib.Variant('(sa(tt))', (text, [(0, 1)]))

    def tokens(self, number):
        fd = self.sessions[number]
        return os.pread(fd, os.fstat(fd).st_size, 0)

    def OpenSession(self, arguments, fds, invocation):
        number, handle, options = arguments
        if number in self.sessions:
            return self.refuse(invocation, 'InvalidArgs', f'there is a session {number} already')
        time.sleep(behaviour().get('session-ms', 0) / 1000)
        self.sessions[number] = os.dup(fds[handle])
        info = {'context-size': GLib.Variant('u', options.get('context', 1024)),
                'tokens': GLib.Variant('u', len(self.tokens(number)) // 4)}
        return GLib.Variant('(a{sv})', (info,))

    def ForkSession(self, arguments, fds, _invocation):
        session, fork, handle, _options = arguments
        self.sessions[fork] = os.dup(fds[handle])
        os.pwrite(self.sessions[fork], self.tokens(session), 0)
        return None

    def TruncateSession(self, arguments, _fds, _invocation):
        os.ftruncate(self.sessions[arguments[0]], 4 * arguments[1])
        return None

    def CloseSession(self, arguments, _fds, _invocation):
        os.close(self.sessions.pop(arguments[0]))
        return None

    def frame(self, stream, kind, payload):
        data = struct.pack('<IBBH', len(payload), 1, kind, 0) + payload
        try:
            os.write(stream, payload if self.plain and kind == 1 else data if not self.plain else b'')
        except BrokenPipeError:
            pass  # the reader hung up

    def values(self, **values):
        return GLib.Variant('a{sv}', values).get_data_as_bytes().get_data()

    def change(self, generation, state, result=None):
        self.emit('GenerationChanged', GLib.Variant('(tsa{sv})', (generation, state, result or {})))

    def finish(self, generation, session, stream, n_tokens, state='done', reason='stop'):
        result = {'reason': GLib.Variant('s', reason), 'tokens-out': GLib.Variant('u', n_tokens),
                  'context-used': GLib.Variant('u', len(self.tokens(session)) // 4 if session in self.sessions else 0),
                  'tokens-in': GLib.Variant('s', 'of a wrong type'), 'secret': GLib.Variant('s', 'not in the table')}
        if state == 'done':
            self.frame(stream, 8, self.values(reason=GLib.Variant('s', reason)))
        else:
            self.frame(stream, 9, self.values(name=GLib.Variant('s', 'org.woolly.Error.Cancelled'),
                                              message=GLib.Variant('s', 'cancelled')))
        os.close(stream)
        self.change(generation, state, result)

    def Generate(self, arguments, fds, _invocation):
        generation, session, body, _fds, stream, options = arguments
        prompt = self.body(body, fds)['prompt']
        stream = os.dup(fds[stream])
        self.plain = options.get('stream') == 'text'
        word, _, text = prompt.partition(' ')
        if word == 'die-first' and os.path.exists(text):
            if os.path.isfile(text):
                os.unlink(text)
            crash()
        GLib.idle_add(self.generate, generation, session, stream, prompt)
        return None

    def generate(self, generation, session, stream, prompt):
        word, _, text = prompt.partition(' ')
        if session not in self.sessions:  # closed before it began
            self.finish(generation, session, stream, 0, 'cancelled', 'cancelled')
            return
        fd = self.sessions[session]
        os.pwrite(fd, struct.pack(f'<{len(prompt)}i', *prompt.encode()), os.fstat(fd).st_size)
        self.change(generation, 'prefill')
        self.change(generation, 'generating')
        if word == 'say':
            for letter in text:
                self.frame(stream, 1, letter.encode())
            self.finish(generation, session, stream, len(text))
        elif word == 'limits':  # what it was told that packed weights may take, from the load on
            self.frame(stream, 1, ' '.join(map(str, [self.options['pack-bytes'], *self.limits])).encode())
            self.finish(generation, session, stream, 1)
        elif word == 'die-first':
            self.frame(stream, 1, b'lived')
            self.finish(generation, session, stream, 1)
        elif word == 'say-and-die':
            self.finish(generation, session, stream, 0)
            self.connection.flush_sync()
            crash()
        elif word == 'crash':
            self.frame(stream, 1, b'half a sen')
            self.connection.flush_sync()
            crash()
        elif word == 'fail':
            self.finish(generation, session, stream, 0, 'failed', 'error')
        elif word.startswith('wait'):
            self.frame(stream, 1, b'...')
            self.waiting[generation] = (session, stream, word)
        elif word == 'flood':
            while True:
                self.change(generation, 'generating')
        elif word == 'shout':
            self.change(generation, 'x' * (1 << 20))
            self.waiting[generation] = (session, stream, word)
        elif word == 'lie':
            self.change(generation + 1000, 'done')
            self.change(generation, 'no such state')
            self.emit('GenerationChanged', GLib.Variant('(s)', ('of a wrong type',)))
            self.emit('NoSuchSignal', GLib.Variant('(s)', ('',)))
            self.frame(stream, 1, b'truth')
            self.finish(generation, session, stream, 1)

    def Cancel(self, arguments, _fds, _invocation):
        session, stream, word = self.waiting.get(arguments[0], (None, None, 'wait-stuck'))
        if word != 'wait-stuck':
            del self.waiting[arguments[0]]
            self.finish(arguments[0], session, stream, 3, 'cancelled', 'cancelled')
        return None

    def LimitWeights(self, arguments, _fds, _invocation):
        self.limits.append(arguments[0])
        return GLib.Variant('(t)', (0,))

    def GetMemory(self, _arguments, _fds, _invocation):
        return GLib.Variant('(a{sv})', ({},))


if len(sys.argv) > 1 and sys.argv[1] == '--probe':
    probe(sys.argv[2:])
worker = Worker()
GLib.MainLoop().run()
