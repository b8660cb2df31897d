# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cases of woolly_daemon with everything real: workers, plugins, models, and greedy answers to compare."""
import atexit
import os
import shutil
import subprocess
import tempfile

from gi.repository import GLib

from woolly_daemon import NAME, ROOT, DaemonCase, Failed

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUNDLED = os.path.join(SOURCE, 'data', 'models', 'woolly-tiny-Q8_0.gguf')
TINY = 'woolly-tiny-Q8_0'
PLUGINS = os.environ['WOOLLY_PLUGIN_PATH']
# Wide enough that a step takes its time, and small enough that a test does not.
MEDIUM = ('--preset=large', '--layers=4', '--embd=512', '--ff=2048', '--heads=8', '--heads-kv=2', '--head-dim=64', '--context=8192')
ERRORS = 'org.woolly.Error.'

_folder = None


def models_folder():
    """Of this test program; its models are medium.gguf and the bundled one."""
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix='woolly-test-models-')
        atexit.register(shutil.rmtree, _folder)
        make_model('medium', *MEDIUM)
        shutil.copy(BUNDLED, _folder)
    return _folder


def make_model(name, *arguments):
    path = os.path.join(models_folder(), name + '.gguf')
    if not os.path.exists(path):
        subprocess.run([os.environ['WOOLLY_MAKE_MODEL'], *arguments, path], check=True, capture_output=True)
    return path


def text_of(frames):
    return ''.join(value for kind, value in frames if kind == 'text')


def greedy(n_tokens, **more):
    """Options; the penalty keeps a random model from falling into a loop, in which a fault would not show."""
    return {'temperature': GLib.Variant('d', 0), 'repetition-penalty': GLib.Variant('d', 1.3),
            'max-tokens': GLib.Variant('u', n_tokens), 'ignore-end': GLib.Variant('b', True), **more}


class RealCase(DaemonCase):
    models = True  # whether the folder of models is there from the beginning

    def setUp(self):
        self.environment = {
            'WOOLLY_WORKER': os.environ['WOOLLY_WORKER'], 'WOOLLY_PLUGIN_PATH': PLUGINS,
            'WOOLLY_MODEL_PATH': models_folder() if self.models else '', **self.environment,
        }
        super().setUp()
        self.app = self.client()

    def tearDown(self):
        # whatever was done to it
        if self.started:
            self.assertIsNone(self.daemon.poll(), self.log()[-4000:])

    def open_session(self, model, client=None, **options):
        return (client or self.app).manager('OpenSession', '(sa{sv})', (model, options))

    def tokens(self, session, client=None):
        return (client or self.app).call(session, 'Session.GetTokens')

    def path(self, model):
        return self.app.manager('Resolve', '(sa{sv})', (model, {}))

    def result(self, generation, client=None):
        """(state, result), when it has ended"""
        client = client or self.app
        self.until(lambda: client.get(generation, 'Generation', 'State') in ('done', 'cancelled', 'failed'), 60)
        return client.get(generation, 'Generation', 'State'), client.get(generation, 'Generation', 'Result')

    def open_file(self, path, client=None):
        """A model of the caller's own."""
        fd = os.open(path, os.O_RDONLY)
        try:
            return (client or self.app).manager('OpenFiles', '(aha{sv})', ([0], {}), fds=[fd])
        finally:
            os.close(fd)

    def works(self, model=TINY):
        """A request like any other."""
        text, result = self.client().text(model, 'Once upon a time', **greedy(4), **{'timeout-ms': GLib.Variant('u', 100000)})
        self.assertEqual(result['tokens-out'], 4)
        self.assertTrue(text)


__all__ = ['BUNDLED', 'ERRORS', 'NAME', 'PLUGINS', 'ROOT', 'SOURCE', 'TINY', 'Failed', 'RealCase', 'greedy', 'make_model',
           'models_folder', 'text_of']
