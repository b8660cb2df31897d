#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libwoolly through its typelib, against a service that answers in known ways (fake_woollyd.py)."""
import gc
import os
import tempfile
import time
import unittest

import gi
gi.require_version('Woolly', '1.0')
from gi.repository import Gio, GLib, Woolly

import woolly_tap
from private_bus import PrivateBus

HERE = os.path.dirname(os.path.abspath(__file__))
FAKE = os.path.join(HERE, 'fake_woollyd.py')
TEXT = Woolly.EventKind.TEXT


def until(condition, seconds=20):
    """Runs the main loop until the condition holds."""
    context = GLib.MainContext.default()
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError('it did not come about')
        if not context.iteration(False):
            time.sleep(0.002)


PrivateBus().up()
os.environ['WOOLLY_DAEMON'] = FAKE  # libwoolly starts it
CONNECTION = Gio.bus_get_sync(Gio.BusType.SESSION)
CONNECTION.set_exit_on_close(False)


class BusCase(unittest.TestCase):
    """A client of the service that answers in known ways."""

    def setUp(self):
        self.client = Woolly.Client.new(None, Woolly.ClientFlags.NONE, None)

    def tearDown(self):
        del self.client
        gc.collect()

    def control(self, method, params=None, reply='()'):
        value = CONNECTION.call_sync('org.woolly.Woolly1', '/org/woolly/Test', 'org.woolly.Test', method, params,
                                          GLib.VariantType(reply), Gio.DBusCallFlags.NO_AUTO_START, -1, None)
        return value.unpack()

    def calls(self):
        return self.control('GetCalls', reply='(as)')[0]

    def ids(self):
        models = self.client.get_models()
        return [models.get_item(i).get_id() for i in range(models.get_n_items())]

    def assertFails(self, code, call, *arguments):
        with self.assertRaises(GLib.Error) as caught:
            call(*arguments)
        error = caught.exception
        self.assertTrue(error.matches(Woolly.error_quark(), code), f'{error.domain} {error.code} {error.message}')
        self.assertNotIn('GDBus.Error', error.message)
        return error.message

    def read(self, stream):
        text = ''
        while True:
            event = stream.read(None)
            if event is None:
                return text
            if event.get_kind() == TEXT:
                text += event.get_text()


class Client(BusCase):

    def test_starts_and_lists(self):
        self.assertTrue(self.client.get_running())
        self.assertEqual(self.client.get_version(), '9.8.7')
        self.assertEqual(self.client.get_interface_version(), 3)
        self.assertEqual(self.ids()[:2], ['alpha', 'beta'])
        self.assertEqual(self.client.fetch_memory(None), (True, 1000, 4000000))

    def test_properties(self):
        model = self.client.resolve_model('alpha', None)
        self.assertEqual(model.get_object_path(), '/org/woolly/Woolly1/models/alpha')
        self.assertEqual(model.get_name(), 'The alpha')
        self.assertEqual(model.dup_files(), ['/models/alpha.gguf'])
        self.assertEqual(model.get_parameters(), 7000000000)
        self.assertEqual(model.get_property('capabilities'), ['generate', 'chat'])
        self.assertEqual(model.get_property('context-length'), 4096)
        self.assertEqual(model.get_context_length(), 4096)
        self.assertEqual(model.get_vocabulary_size(), 256)
        self.assertEqual((model.get_architecture(), model.get_quantization(), model.get_license()), ('llama', 'Q8_0', 'mit'))
        self.assertEqual(model.get_pooling(), 'mean')
        self.assertIsNone(model.dup_last_error())

    def test_list_lives(self):
        changes = []
        models = self.client.get_models()
        models.connect('items-changed', lambda _, at, removed, added: changes.append((at, removed, added)))
        self.control('AddModel', GLib.Variant('(s)', ('aleph',)))
        until(lambda: 'aleph' in self.ids())
        self.assertEqual(self.ids()[:3], ['aleph', 'alpha', 'beta'])
        model = models.get_item(0)
        states = []
        model.connect('notify::state', lambda *_: states.append(model.get_state()))
        self.control('SetState', GLib.Variant('(ss)', ('aleph', 'failed')))
        until(lambda: states == ['failed'])
        self.control('RemoveModel', GLib.Variant('(s)', ('aleph',)))
        until(lambda: 'aleph' not in self.ids())
        self.assertEqual(changes, [(0, 0, 1), (0, 1, 0)])
        self.assertFails(Woolly.Error.NOT_FOUND, model.load, None, None)

    def test_service_ends_and_comes_back(self):
        model = self.client.resolve_model('beta', None)
        model.load(None, None)
        until(lambda: model.get_state() == 'ready')
        session = self.client.open_session('beta', None, None)
        self.control('Exit')
        until(lambda: not self.client.get_running())
        self.assertEqual(self.ids()[:2], ['alpha', 'beta'], 'the list stays')
        self.assertEqual((model.get_state(), model.get_device()), ('available', ''))
        self.assertFails(Woolly.Error.DISCONNECTED, session.truncate, 0, None)
        self.assertFalse(self.client.get_running(), 'a lost session must not start the service')
        self.assertEqual(model.tokenize(Woolly.Input.new_for_prompt('ab'), None, None), [97, 98])
        until(lambda: self.client.get_running())

    def test_do_not_start(self):
        self.control('Exit')
        until(lambda: not self.client.get_running())
        quiet = Woolly.Client.new(None, Woolly.ClientFlags.DO_NOT_START, None)
        self.assertFalse(quiet.get_running())
        self.assertEqual(quiet.get_models().get_n_items(), 0)
        message = self.assertFails(Woolly.Error.DISCONNECTED, quiet.resolve_model, 'alpha', None)
        self.assertIn('does not run', message)

    def test_asynchronous(self):
        got = []

        def connected(source, result):
            client = Woolly.Client.new_finish(result)
            got.append(client)
            client.resolve_model_async('beta', None, lambda c, r: got.append(c.resolve_model_finish(r).get_id()))
        Woolly.Client.new_async(None, Woolly.ClientFlags.NONE, None, connected)
        until(lambda: len(got) == 2)
        self.assertEqual(got[1], 'beta')

    def test_cancelled_before(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        for call in (lambda: self.client.list_plugins(cancellable),
                     lambda: Woolly.Client.new(None, Woolly.ClientFlags.NONE, cancellable)):
            with self.assertRaises(GLib.Error) as caught:
                call()
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

    def test_errors(self):
        message = self.assertFails(Woolly.Error.NOT_FOUND, self.client.resolve_model, 'alhpa', None)
        self.assertEqual(message, "no model named 'alhpa'; did you mean 'alpha'?")
        self.assertFails(Woolly.Error.BUSY, self.client.generate, 'alpha', Woolly.Input.new_for_prompt('!busy'), None, None)
        model = self.client.resolve_model('alpha', None)
        message = self.assertFails(Woolly.Error.INVALID_ARGS, model.load,
                                   GLib.Variant('a{sv}', {'devise': GLib.Variant('s', 'x')}), None)
        self.assertIn('devise', message)

    def test_lists(self):
        plugins = self.client.list_plugins(None).unpack()
        self.assertEqual([row['state'] for row in plugins], ['usable', 'refused'])
        self.assertEqual(self.client.list_devices(None).unpack()[0]['id'], 'cpu')
        self.assertTrue(self.client.estimate_model('alpha', None, None).unpack()['fits'])

    def test_hold(self):
        hold = self.client.hold_model('alpha', None, None)
        self.assertGreaterEqual(hold.get_fd(), 0)
        before = self.calls().count('hold-released')
        hold.release()
        self.assertEqual(hold.get_fd(), -1)
        until(lambda: self.calls().count('hold-released') == before + 1)
        hold = self.client.hold_model('alpha', None, None)
        del hold
        gc.collect()
        until(lambda: self.calls().count('hold-released') == before + 2)


class Files(BusCase):

    def test_one_file(self):
        with tempfile.NamedTemporaryFile(suffix='.gguf') as file:
            file.write(b'GGUF one')
            file.flush()
            model = self.client.open_path(file.name, None)
        self.assertEqual(model.get_name(), 'GGUF one')
        self.assertNotIn(model.get_id(), self.ids())

    def test_split_file(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [f'{folder}/m-{i:05}-of-00003.gguf' for i in (1, 2, 3)]
            for i, path in enumerate(paths):
                with open(path, 'wb') as file:
                    file.write(b'GGUF%d' % i)
            self.assertEqual(self.client.open_path(paths[1], None).get_name(), 'GGUF0+GGUF1+GGUF2')
            os.unlink(paths[2])
            message = self.assertFails(Woolly.Error.NOT_FOUND, self.client.open_path, paths[0], None)
            self.assertIn('m-00003-of-00003.gguf', message)

    def test_not_a_file(self):
        self.assertFails(Woolly.Error.NOT_FOUND, self.client.open_path, '/nowhere/x.gguf', None)
        self.assertFails(Woolly.Error.INVALID_MODEL, self.client.open_path, HERE, None)
        self.assertFails(Woolly.Error.INVALID_MODEL, self.client.open_path, '/dev/null', None)
        self.assertFails(Woolly.Error.INVALID_MODEL, self.client.open_path, __file__, None)
        with tempfile.TemporaryDirectory() as folder:
            os.mkfifo(f'{folder}/pipe')
            self.assertFails(Woolly.Error.INVALID_MODEL, self.client.open_path, f'{folder}/pipe', None)


class Text(BusCase):

    def setUp(self):
        super().setUp()
        self.model = self.client.resolve_model('alpha', None)

    def test_tokens(self):
        self.assertEqual(self.model.tokenize(Woolly.Input.new_for_prompt('grün'), None, None), list('grün'.encode()))
        self.assertEqual(self.model.tokenize(Woolly.Input.new_for_prompt(''), None, None), [])
        self.assertEqual(self.model.detokenize([104, 105, 195], None, None).get_data(), b'hi\xc3')
        self.assertEqual(self.model.count(Woolly.Input.new_for_prompt('12345'), None, None), (True, 5))

    def test_render(self):
        what = Woolly.Input.new_for_message('system', 'short')
        what.add_message('user', 'hello')
        text, trusted = self.model.render(what, None)
        self.assertEqual(text, '<system>short\n<user>hello')
        self.assertEqual(trusted.unpack(), [(0, 6)])

    def test_render_to_go_on(self):
        what = Woolly.Input.new_for_message('assistant', 'so far')
        for go_on in (True, False):
            what.set_continue(go_on)
            self.assertEqual(self.model.render(what, None)[0], '<assistant>so far' + go_on * '\n<continue>')

    def test_large_texts_go_by_fd(self):
        big = 'ö' * (3 << 20)
        self.assertEqual(self.model.count(Woolly.Input.new_for_prompt(big), None, None), (True, 6 << 20))
        what = Woolly.Input.new()
        for i in range(20):
            what.add_message('user', chr(97 + i) * 100000)
        text, _ = self.model.render(what, None)
        self.assertEqual(text, '\n'.join('<user>' + chr(97 + i) * 100000 for i in range(20)))

    def test_bad_text(self):
        for data, part in ((b'ab\xff', 'UTF-8 at byte 2'), (b'a\0b', 'NUL at byte 1')):
            what = Woolly.Input.new()
            what.set_prompt_bytes(GLib.Bytes.new(data))
            self.assertIn(part, self.assertFails(Woolly.Error.INVALID_TEXT, self.model.count, what, None, None))
            what = Woolly.Input.new()
            what.add_message_bytes('user', GLib.Bytes.new(data))
            self.assertFails(Woolly.Error.INVALID_TEXT, self.client.generate, 'alpha', what, None, None)

    def test_users(self):
        self.assertEqual(self.model.list_users(None).unpack()[0]['app'], 'editor')

    def test_load_and_unload(self):
        states = []
        self.model.connect('notify::state', lambda *_: states.append(self.model.get_state()))
        self.model.load(None, None)
        until(lambda: 'ready' in states)
        self.assertEqual(states, ['loading', 'ready'])
        self.assertEqual(self.model.get_load_progress(), 1)
        self.model.refresh(None)
        self.assertEqual(self.model.get_memory_in_use(), 12345678)
        self.model.unload(None)
        until(lambda: self.model.get_state() == 'available')

    def test_generate_text(self):
        text, result = self.client.generate_text('alpha', Woolly.Input.new_for_prompt('hi'), None, None)
        self.assertEqual((text, result.unpack()['reason']), ('HI', 'stop'))


class Generation(BusCase):

    def generate(self, prompt, **options):
        return self.client.generate('alpha', Woolly.Input.new_for_prompt(prompt), GLib.Variant('a{sv}', options), None)

    def test_text(self):
        generation = self.generate('one two three')
        self.assertEqual(self.read(generation.get_stream()), 'one two three')
        self.assertEqual(generation.fetch_result(None).unpack()['reason'], 'stop')

    def test_options_arrive(self):
        generation = self.generate('one two three', **{'max-tokens': GLib.Variant('u', 2), 'seed': GLib.Variant('t', 99)})
        events = []
        while (event := generation.get_stream().read(None)) is not None:
            events.append(event)
        self.assertEqual(events[-1].get_reason(), 'length')
        self.assertEqual(events[-2].get_kind(), Woolly.EventKind.USAGE)
        self.assertEqual(events[-2].get_values().unpack()['seed'], 99)

    def test_other_forms_of_stream_are_refused(self):
        with self.assertRaises(GLib.Error) as caught:
            self.generate('x', stream=GLib.Variant('s', 'text'))
        self.assertTrue(caught.exception.matches(Woolly.error_quark(), Woolly.Error.INVALID_ARGS))

    def test_error_in_stream(self):
        stream = self.generate('!error').get_stream()
        self.assertEqual(stream.read(None).get_text(), 'some ')
        self.assertEqual(self.assertFails(Woolly.Error.CONTEXT_FULL, stream.read, None), 'no room is left')
        self.assertIsNone(stream.read(None))

    def test_worker_dies(self):
        stream = self.generate('!die').get_stream()
        self.assertEqual(stream.read(None).get_text(), 'some ')
        self.assertEqual(self.assertFails(Woolly.Error.WORKER_LOST, stream.read, None), 'the worker died')

    def test_service_dies(self):
        generation = self.generate('!slow')
        generation.get_stream().read(None)
        self.control('Exit')
        self.assertFails(Woolly.Error.DISCONNECTED, self.read, generation.get_stream())

    def test_cancel(self):
        generation = self.generate('!slow')
        stream = generation.get_stream()
        self.assertEqual(stream.read(None).get_text(), '0 ')
        generation.cancel(None)
        self.assertFails(Woolly.Error.CANCELLED, self.read, stream)
        until(lambda: generation.get_state() == 'cancelled')
        self.assertEqual(generation.fetch_result(None).unpack()['reason'], 'cancelled')

    def test_cancelled_read_cancels(self):
        generation = self.generate('!slow')
        cancellable = Gio.Cancellable()
        errors = []

        def read(stream, result):
            try:
                stream.read_finish(result)
                stream.read_async(cancellable, read)
            except GLib.Error as error:
                errors.append(error)
        generation.get_stream().read_async(cancellable, read)
        GLib.timeout_add(100, cancellable.cancel)
        before = self.calls().count('Generation.Cancel')
        until(lambda: errors)
        self.assertTrue(errors[0].matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        self.assertEqual(self.calls().count('Generation.Cancel'), before + 1)
        self.assertFails(Woolly.Error.CANCELLED, self.read, generation.get_stream())

    def test_stream_outlives_the_generation(self):
        stream = self.generate('one two').get_stream()
        gc.collect()
        self.assertEqual(self.read(stream), 'one two')
        before = self.calls().count('Generation.Release')
        del stream
        gc.collect()
        until(lambda: self.calls().count('Generation.Release') == before + 1)

    def test_release_hangs_up(self):
        generation = self.generate('!slow')
        generation.get_stream().read(None)
        generation.release()
        self.assertIsNone(generation.get_stream().read(None))
        self.assertFails(Woolly.Error.CLOSED, generation.cancel, None)

    def test_closing_the_stream_hangs_up(self):
        generation = self.generate('!slow')
        generation.get_stream().read(None)
        before = self.calls().count('hung-up')
        generation.get_stream().close()
        until(lambda: self.calls().count('hung-up') == before + 1)


class Session(BusCase):

    def test_conversation(self):
        session = self.client.open_session('alpha', GLib.Variant('a{sv}', {}), None)
        generation = session.generate(Woolly.Input.new_for_message('user', 'hello there'), None, None)
        self.assertEqual(self.read(generation.get_stream()), '<user>hello there')
        self.assertEqual(bytes(session.fetch_tokens(None)), b'<user>hello there')
        session.refresh(None)
        self.assertEqual((session.get_state(), session.get_context_size(), session.get_context_used()), ('idle', 4096, 17))
        self.assertEqual(session.get_property('model'), '/org/woolly/Woolly1/models/alpha')

        copy = session.fork(None, None)
        copy.truncate(6, None)
        self.assertEqual(bytes(copy.fetch_tokens(None)), b'<user>')
        self.assertEqual(bytes(session.fetch_tokens(None)), b'<user>hello there')
        self.assertFails(Woolly.Error.INVALID_ARGS, copy.truncate, 7, None)

        with tempfile.TemporaryFile() as file:
            session.save(file.fileno(), None)
            self.assertEqual(os.pread(file.fileno(), 100, 0), b'<user>hello there')
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            copy.restore(file.fileno(), None)
        self.assertEqual(bytes(copy.fetch_tokens(None)), b'<user>hello there')

    def test_close(self):
        session = self.client.open_session('alpha', None, None)
        before = self.calls().count('Session.Close')
        session.close(None)
        self.assertFails(Woolly.Error.CLOSED, session.fetch_tokens, None)
        del session
        gc.collect()
        self.client.resolve_model('alpha', None)
        self.assertEqual(self.calls().count('Session.Close'), before + 1)

    def test_dropping_closes(self):
        session = self.client.open_session('alpha', None, None)
        before = self.calls().count('Session.Close')
        del session
        gc.collect()
        until(lambda: self.calls().count('Session.Close') == before + 1)


class Admin(BusCase):

    def setUp(self):
        super().setUp()
        self.admin = Woolly.Admin.new(self.client)

    def test_import(self):
        with tempfile.TemporaryFile() as file:
            file.write(b'x' * 1000)
            file.flush()
            job = self.admin.import_(file.fileno(), None, None) if hasattr(self.admin, 'import_') \
                else getattr(self.admin, 'import')(file.fileno(), None, None)
        until(lambda: job.get_state() == 'done')
        self.assertEqual(job.get_progress(), (500, 1000))
        until(lambda: job.get_model().split('/')[-1] in self.ids())
        self.assertIsNone(job.dup_error())
        job.release()
        model = self.client.resolve_model(job.get_model(), None)
        self.admin.remove(model, None)
        until(lambda: model.get_id() not in self.ids())

    def test_others(self):
        model = self.client.resolve_model('alpha', None)
        self.assertFails(Woolly.Error.BUSY, self.admin.unload, model, False, None)
        self.assertTrue(self.admin.unload(model, True, None))
        self.assertTrue(self.admin.clear_quarantine(model, None))
        self.assertTrue(self.admin.reload(None))
        self.assertEqual(self.admin.fetch_settings(None).unpack(), {'memory.budget': 5})
        self.assertFails(Woolly.Error.NOT_SUPPORTED, self.admin.pull, 'https://example.org/x', None, None)
        self.assertTrue(self.admin.quit(None))
        until(lambda: not self.client.get_running())
        self.assertFails(Woolly.Error.DISCONNECTED, self.admin.quit, None)


class NoBus(unittest.TestCase):

    def test_message(self):
        """In a process of its own: the address is read once."""
        import subprocess
        import sys
        code = ('import gi; gi.require_version("Woolly", "1.0"); from gi.repository import Woolly, GLib\n'
                'try: Woolly.Client.new(None, 0, None)\n'
                'except GLib.Error as e: print(e.matches(Woolly.error_quark(), Woolly.Error.DISCONNECTED), e.message)\n')
        env = dict(os.environ, DBUS_SESSION_BUS_ADDRESS='unix:path=/nowhere/at/all')
        done = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True)
        self.assertIn('True There is no session bus: ', done.stdout, done.stderr)


if __name__ == '__main__':
    woolly_tap.main()
