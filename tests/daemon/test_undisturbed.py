#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What happens beside a session does not change a bit of what it says; neither do threads and chunks."""
import os
import shutil
import signal

import woolly_tap
from real_service import BUNDLED, ROOT, TINY, RealCase, greedy, text_of

PROMPT = 'The red ball rolled over the hill and then'
OTHER = 'A quite different text, which shares nothing with the first one.'
N_PROMPT = 20  # tokens of it
N_TOKENS = 6000  # more than are ever waited for
N_ALONE = 400
KV_BYTES = 16 << 20
N_AFTER = 40  # that come when all is over
LONG = 'all work and no play makes a dull story and a long prompt of it ' * 60


class Undisturbed(RealCase):
    """One service; what the session says alone is the reference of each case."""
    reference = []
    config = f'[compute]\nthreads=2\n[memory]\nkv-cache={KV_BYTES}\n'

    def alone(self, n_tokens):
        """What it says when nothing else is done, at least so many tokens."""
        cls = type(self)
        if len(cls.reference) < n_tokens + N_PROMPT:
            session = self.open_session('medium')
            _path, stream = self.app.generate(None, PROMPT, session, **greedy(n_tokens))
            self.assertEqual(stream.all()[-1], ('end', {'reason': 'length'}))
            cls.reference = self.tokens(session)
            self.assertGreater(len(set(cls.reference)), 100)  # no loop, in which nothing would be seen
            self.app.call(session, 'Session.Close')
        return cls.reference

    def begin(self):
        """The session, which says its text; what disturbs it comes next."""
        self.alone(N_ALONE)
        self.session = self.open_session('medium')
        self.generation, self.stream = self.app.generate(None, PROMPT, self.session, **greedy(N_TOKENS))
        self.stream.until('text')

    def finish(self):
        """It was at it all the time, goes on, and has said the same."""
        self.assertEqual(self.app.get(self.generation, 'Generation', 'State'), 'generating')
        before = len(self.tokens(self.session))
        while len(self.tokens(self.session)) < before + N_AFTER:
            self.assertNotEqual(self.stream.next()[0], 'error')
        self.app.call(self.generation, 'Generation.Cancel')
        self.stream.all()
        self.result(self.generation)
        tokens = self.tokens(self.session)
        self.assertGreaterEqual(len(tokens), before)
        self.assertEqual(tokens, self.alone(len(tokens) - N_PROMPT)[:len(tokens)])
        # and what it streamed is what it holds
        said = bytes(self.app.call(self.path('medium'), 'Model.Detokenize', '(aua{sv})', (tokens[N_PROMPT:], {})))
        said = said.decode(errors='replace').replace('\0', '\N{REPLACEMENT CHARACTER}')  # no text on the bus has a NUL
        streamed = text_of(self.stream.frames)
        self.assertTrue(streamed)
        # the end may be within a character, the beginning is that of a text here
        self.assertTrue(said.lstrip().startswith(streamed.strip().rstrip('\N{REPLACEMENT CHARACTER}')), (said, streamed))

    def other(self, model='medium', prompt=OTHER, n_tokens=N_TOKENS, until='text'):
        """Another app with a session of its own: (client, session, generation, stream)"""
        client = self.client()
        session = self.open_session(model, client)
        generation, stream = client.generate(None, prompt, session, **greedy(n_tokens))
        stream.until(until)
        return client, session, generation, stream

    def test_last_other_session_closes(self):
        self.begin()
        first, second = self.other(), self.other(prompt=PROMPT + ' he')
        for client, session, _generation, stream in (first, second):
            client.call(session, 'Session.Close')
            self.assertEqual(stream.all()[-1][0], 'error')
        users = self.app.call(self.path('medium'), 'Model.ListUsers')
        self.assertEqual([user['name'] for user in users], [self.app.name()])
        self.finish()

    def test_idle_session_closes(self):
        """One that says nothing holds blocks all the same, the first of them those of the session itself."""
        self.begin()
        client, session, generation, stream = self.other(prompt=PROMPT, n_tokens=10)
        stream.all()
        self.assertEqual(self.tokens(session, client), self.reference[:len(self.tokens(session, client))])
        client.call(session, 'Session.Close')
        self.finish()

    def test_app_leaves(self):
        self.begin()
        client, _session, _generation, stream = self.other()
        client.close()
        self.until(lambda: len(self.app.call(self.path('medium'), 'Model.ListUsers')) == 1)
        stream.all()
        self.finish()

    def test_cancelled_in_prefill(self):
        self.begin()
        client, session, generation, stream = self.other(prompt=LONG, until='prefill')
        client.call(generation, 'Generation.Cancel')
        frames = stream.all()
        state, result = self.result(generation, client)
        self.assertEqual((state, result['tokens-out'], text_of(frames)), ('cancelled', 0, ''))
        self.assertEqual(self.tokens(session, client), [])
        self.finish()

    def test_cancelled_in_decode(self):
        self.begin()
        client, session, generation, stream = self.other()
        stream.until('text')
        client.call(generation, 'Generation.Cancel')
        stream.all()
        state, result = self.result(generation, client)
        self.assertEqual(state, 'cancelled')
        self.assertGreater(result['tokens-out'], 0)
        self.assertLess(result['tokens-out'], N_TOKENS)
        self.finish()

    def test_reader_hangs_up(self):
        self.begin()
        client, session, generation, stream = self.other()
        stream.close()
        self.assertEqual(self.result(generation, client)[0], 'cancelled')
        self.finish()

    def test_others_worker_is_killed(self):
        self.begin()
        mine = self.workers()
        self.assertEqual(len(mine), 1)
        client, session, generation, stream = self.other(TINY)
        for pid in set(self.workers()) - set(mine):
            os.kill(pid, signal.SIGKILL)
        stream.all()
        state, result = self.result(generation, client)
        self.assertEqual((state, result['error']), ('failed', 'org.woolly.Error.WorkerLost'))
        self.assertEqual(self.workers(), mine)
        self.finish()

    def test_other_model_is_evicted(self):
        """Two models fit, a third does not: the one that is idle goes."""
        shutil.copy(BUNDLED, os.path.join(self.folder, 'third.gguf'))
        self.until(lambda: 'third' in self.app.models())
        self.begin()
        self.works()
        weights = [self.app.manager('EstimateModel', '(sa{sv})', (name, {}))['weights-bytes'] for name in ('medium', TINY)]
        booked = sum(weights) + 2 * KV_BYTES
        self.write_config(self.config + f'budget={booked + (1 << 20)}\n')
        self.app.admin('Reload')
        self.works('third')
        states = {name: row['State'] for name, row in self.app.models().items()}
        self.assertEqual((states['medium'], states['third']), ('ready', 'ready'))
        self.state(self.app, TINY, 'available')
        self.until(lambda: len(self.workers()) == 2)
        self.finish()

    def test_other_model_is_unloaded(self):
        self.begin()
        _client, _session, _generation, stream = self.other(TINY)
        self.app.admin('Unload', '(ob)', (self.path(TINY), True))
        stream.all()
        self.until(lambda: len(self.workers()) == 1)
        self.finish()


class Settings(RealCase):
    """How it is cut into steps, and how many threads compute it, is not seen in what comes out."""

    def answer(self, **compute):
        self.write_config('[compute]\n' + ''.join(f'{key.replace("_", "-")}={value}\n' for key, value in compute.items()))
        self.app.admin('Reload')
        self.app.admin('Unload', '(ob)', (self.path('medium'), True))
        self.until(lambda: not self.workers())
        session = self.open_session('medium')
        beside = self.client()
        _path, other = beside.generate('medium', OTHER, **greedy(60))
        _path, stream = self.app.generate(None, LONG[:3000], session, **greedy(60))
        self.assertEqual(stream.all()[-1], ('end', {'reason': 'length'}))
        self.assertEqual(other.all()[-1], ('end', {'reason': 'length'}))
        tokens = self.tokens(session)
        self.app.call(session, 'Session.Close')
        return tokens, text_of(other.frames)

    def test_threads_and_chunks(self):
        first = self.answer(threads=1, batch_tokens=256, prefill_chunk=128)
        self.assertGreater(len(set(first[0][-60:])), 20)
        for threads, batch, chunk in ((2, 256, 128), (1, 64, 7), (2, 9, 9), (2, 1000, 1000)):
            self.assertEqual(self.answer(threads=threads, batch_tokens=batch, prefill_chunk=chunk), first,
                             (threads, batch, chunk))


if __name__ == '__main__':
    woolly_tap.main()
