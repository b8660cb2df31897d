#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which models there are: files that come, go and change; damaged ones; names."""
import fcntl
import os
import shutil

from gi.repository import GLib

import woolly_tap
from woolly_daemon import DaemonCase, path_of


class Catalogue(DaemonCase):
    started = False

    def test_files(self):
        more = self.make('more')
        single = self.model('single', folder=self.make('elsewhere'))
        self.model('not-named', folder=self.make('elsewhere'))
        self.model('one')
        self.model('one', folder=more)
        self.model('.hidden')
        os.makedirs(os.path.join(self.folder, 'folder.gguf'))
        os.mkfifo(os.path.join(self.folder, 'fifo.gguf'))
        self.env['WOOLLY_MODEL_PATH'] = f'{more}:{single}'
        self.start()
        client = self.client()
        ids = sorted(client.models())
        self.assertEqual(ids[0], 'one')
        self.assertRegex(ids[1], '^one~[0-9a-f]{8}$')
        self.assertEqual(ids[2:], ['single'])
        row = self.state(client, 'one', 'available')
        self.assertEqual((row['Name'], row['Architecture'], row['Parameters']), ('one', 'fake', 7))
        self.assertEqual(row['Capabilities'], ['generate', 'chat'])
        self.assertEqual(client.get(path_of('one'), 'Model', 'Files'), [os.path.join(self.folder, 'one.gguf')])

    def test_split(self):
        self.model('big-00001-of-00002')
        self.model('big-00002-of-00002')
        self.model('part-00002-of-00003')
        self.start()
        client = self.client()
        self.assertEqual(sorted(client.models()), ['big', 'part'])
        self.state(client, 'big', 'available')
        self.assertEqual(len(client.get(path_of('big'), 'Model', 'Files')), 2)
        row = self.state(client, 'part', 'failed')
        self.assertEqual(row['LastError'][0], 'org.woolly.Error.InvalidModel')
        self.assertIn('2 of the parts', row['LastError'][1])
        self.model('part-00001-of-00003')
        self.model('part-00003-of-00003')
        self.state(client, 'part', 'available')

    def test_damaged_ones_keep_nobody_waiting(self):
        for word in ('BAD', 'CRASH', 'NOISE', 'FLOOD', 'HANG'):
            self.model('a-' + word.lower(), word)
        self.model('sound')
        self.start()
        client = self.client()
        self.assertEqual(client.text('sound', 'say hello')[0], 'hello')
        for word, error in (('bad', 'InvalidModel'), ('crash', 'WorkerLost'), ('noise', 'WorkerLost'),
                            ('flood', 'WorkerLost'), ('hang', 'TimedOut')):
            row = self.state(client, 'a-' + word, 'failed')
            self.assertEqual(row['LastError'][0], 'org.woolly.Error.' + error)
            self.assertTrue(row['LastError'][1])
        self.assertFails('InvalidModel', client.text, 'a-bad', 'say hello')

    def test_watching(self):
        late = os.path.join(self.home, 'late', 'later')
        self.env['WOOLLY_MODEL_PATH'] = late
        self.model('first')
        self.start()
        client = self.client()
        self.assertEqual(sorted(client.models()), ['first'])
        self.model('second')
        self.until(lambda: sorted(client.models()) == ['first', 'second'])
        os.unlink(os.path.join(self.folder, 'first.gguf'))
        self.until(lambda: sorted(client.models()) == ['second'])
        os.makedirs(late)
        self.model('third', folder=late)
        self.until(lambda: sorted(client.models()) == ['second', 'third'])
        shutil.rmtree(os.path.join(self.home, 'late'))
        self.until(lambda: sorted(client.models()) == ['second'])
        self.model('second', 'BAD file')
        self.state(client, 'second', 'failed')
        self.model('second')
        self.state(client, 'second', 'available')

    def test_names(self):
        self.model('tiny-story', 'FAKE Tiny Story')
        self.model('zebra')
        self.write_config('[use-cases]\nsummarize=zebra\nembed=missing\n')
        self.start()
        client = self.client()

        def resolve(name, **options):
            return client.manager('Resolve', '(sa{sv})', (name, options))
        self.assertEqual(resolve('zebra'), path_of('zebra'))
        self.assertEqual(resolve(path_of('zebra')), path_of('zebra'))
        self.assertEqual(resolve('Tiny Story'), path_of('tiny-story'))
        self.assertEqual(resolve('summarize'), path_of('zebra'))
        self.assertEqual(resolve(''), path_of('tiny-story'))
        self.assertEqual(resolve('chat'), path_of('tiny-story'))
        self.assertIn('“tiny-story”', self.assertFails('NotFound', resolve, 'tiny-storry'))
        self.assertIn('missing', self.assertFails('NotFound', resolve, 'embed'))
        self.assertNotIn('there is', self.assertFails('NotFound', resolve, 'qqqqqqqqqqqqqqqq'))
        self.assertIn('20000000 bytes', self.assertFails('NotFound', resolve, 'zebra' * 4000000))
        self.assertFails('InvalidArgs', resolve, 'zebra', key=GLib.Variant('s', ''))
        self.write_config('[use-cases]\nchat=zebra\nnonsense\n')
        client.admin('Reload')
        self.assertEqual(resolve(''), path_of('tiny-story'))  # a file that cannot be read counts for nothing
        self.write_config('[use-cases]\nchat=zebra\n[memory]\nbudget=many\n')
        client.admin('Reload')
        self.assertEqual(resolve(''), path_of('zebra'))
        self.assertIn('“many”', self.log())

    def test_plugins(self):
        for name, text in (('good', 'fast cpu-0 5'), ('better', 'faster gpu-0 9'), ('bad', 'BAD'), ('crash', 'CRASH')):
            with open(os.path.join(self.plugins, name + '.so'), 'w') as file:
                file.write(text)
        self.start()
        client = self.client()
        plugins = {os.path.basename(row['file']): row for row in client.manager('ListPlugins')}
        self.assertEqual(sorted(plugins), ['bad.so', 'better.so', 'crash.so', 'good.so'])
        self.assertEqual(plugins['good.so']['state'], 'usable')
        self.assertNotIn('devices', plugins['good.so'])
        self.assertEqual(plugins['bad.so']['state'], 'refused')
        self.assertEqual(plugins['bad.so']['reason'], 'no plugin at all')
        self.assertIn('signal', plugins['crash.so']['reason'])
        devices = client.manager('ListDevices')
        self.assertEqual([row['id'] for row in devices], ['gpu-0', 'cpu-0'])
        self.assertNotIn('secret', devices[0])

    def test_plugin_that_had_a_bad_time(self):
        """A probe that took too long is no verdict for good: a later question has it made again."""
        once = os.path.join(self.home, 'once')
        with open(once, 'w'), open(os.path.join(self.plugins, 'slow.so'), 'w') as file:
            file.write(f'HANG-ONCE {once} 7')
        self.start()
        client = self.client()
        row, = client.manager('ListPlugins')
        self.assertEqual((row['state'], row['reason']), ('refused', 'the probe took too long and was ended'))
        self.until(lambda: client.manager('ListPlugins')[0]['state'] == 'usable')

    def test_import_and_remove(self):
        self.model('there', folder=self.make('elsewhere'))
        self.env['WOOLLY_MODEL_PATH'] = self.make('elsewhere')
        source = self.model('source', folder=self.make('from'))
        bad = self.model('broken', 'BAD', folder=self.make('from'))
        self.start()
        client = self.client()

        def import_file(path, **options):
            fd = os.open(path, os.O_RDONLY)
            try:
                return client.admin('Import', '(ha{sv})', (0, options), fds=[fd])
            finally:
                os.close(fd)

        def ended(job):
            return self.until(lambda: client.get(job, 'Job', 'State') != 'running') and client.get(job, 'Job', 'State')
        job = import_file(source)
        self.assertEqual(ended(job), 'done')
        self.assertEqual(client.get(job, 'Job', 'Model'), path_of('source'))
        self.assertEqual(client.get(job, 'Job', 'Kind'), 'import')
        self.assertEqual(client.get(job, 'Job', 'Progress'), (11, 11))
        self.assertFails('org.freedesktop.DBus.Error.UnknownObject', self.client().get, job, 'Job', 'State')
        client.call(job, 'Job.Release')
        self.assertFails('InvalidArgs', import_file, source)
        for name in ('../x', '.x', 'a/b', '', 'x\n'):
            self.assertFails('InvalidArgs', import_file, source, name=GLib.Variant('s', name))
        job = import_file(bad)
        self.assertEqual(ended(job), 'failed')
        self.assertEqual(client.get(job, 'Job', 'Error')[0], 'org.woolly.Error.InvalidModel')
        self.assertEqual(sorted(os.listdir(self.folder)), ['source.gguf'])
        self.assertFails('AccessDenied', client.admin, 'Remove', '(o)', (path_of('there'),))
        client.admin('Remove', '(o)', (path_of('source'),))
        self.assertEqual(sorted(client.models()), ['there'])
        self.assertEqual(os.listdir(self.folder), [])
        self.assertFails('NotFound', client.admin, 'Remove', '(o)', (path_of('source'),))
        self.assertFails('NotSupported', client.admin, 'Pull', '(sa{sv})', ('https://example.org/x.gguf', {}))

    def test_import_that_was_killed(self):
        """What it left is removed by the next woollyd; what another one still copies is not, nor what it did not make."""
        def left(name):
            path = os.path.join(self.folder, name)
            with open(path, 'w') as file:
                file.write('FAKE half a mo')
            return path
        source = os.path.join(self.make('from'), 'large.gguf')
        with open(source, 'w') as file:
            file.truncate(16 << 30)  # a hole: it is read as fast as it is written, but not at once
        left('.m.gguf.0123abcd.part')
        kept = [left('.m.gguf.0123abc.part'), left('.m.gguf.0123abcx.part'), left('m.gguf.0123abcd.part'), left('.mine.part')]
        locked = left('.other.gguf.00000000.part')
        with open(locked) as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            self.start()
            kept = sorted(os.path.basename(path) for path in kept)
            self.assertEqual(sorted(os.listdir(self.folder)), sorted(kept + ['.other.gguf.00000000.part']))
        fd = os.open(source, os.O_RDONLY)
        self.client().admin('Import', '(ha{sv})', (0, {}), fds=[fd])
        os.close(fd)
        self.until(lambda: any('large' in name for name in os.listdir(self.folder)))
        self.daemon.kill()
        self.daemon.wait()
        self.assertNotIn('large.gguf', os.listdir(self.folder))
        self.start()
        self.assertEqual(sorted(os.listdir(self.folder)), kept)
        self.client().models()  # it has begun, and ends when it is told to


if __name__ == '__main__':
    woolly_tap.main()
