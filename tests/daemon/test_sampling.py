#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the options of sampling do to a real model's answers."""
import json
import math

from gi.repository import GLib

import woolly_tap
from real_service import TINY, RealCase, text_of

PROMPT = 'Once upon a time'


class Sampling(RealCase):

    def frames(self, **options):
        options = {key.replace('_', '-'): GLib.Variant(*value) for key, value in options.items()}
        options.setdefault('max-tokens', GLib.Variant('u', 8))
        path, stream = self.app.generate(TINY, PROMPT, **options)
        frames = stream.all()
        _state, result = self.result(path)
        return frames, result

    def tokens(self, **options):
        frames, result = self.frames(logprobs=('b', True), **options)
        return [value['token'] for kind, value in frames if kind == 'logprobs'], frames, result

    def test_logprobs(self):
        frames, result = self.frames(temperature=('d', 0), top_logprobs=('u', 5))
        rows = [value for kind, value in frames if kind == 'logprobs']
        self.assertEqual(len(rows), result['tokens-out'])
        self.assertEqual([(row['token'], row['logprob']) for row in rows], result['logprobs'])
        self.assertEqual(''.join(row['text'] for row in rows).strip(), text_of(frames).strip())
        for row in rows:
            self.assertEqual(row['token'], row['top'][0][0])
            self.assertEqual(row['logprob'], row['top'][0][2])
            self.assertEqual([entry[2] for entry in row['top']], sorted((entry[2] for entry in row['top']), reverse=True))
            self.assertLessEqual(sum(math.exp(entry[2]) for entry in row['top']), 1)
        self.assertNotIn('logprobs', self.frames(temperature=('d', 0))[1])

    def test_logprobs_as_json(self):
        _path, stream = self.app.generate(TINY, PROMPT, **{
            'stream': GLib.Variant('s', 'jsonl'), 'top-logprobs': GLib.Variant('u', 2), 'max-tokens': GLib.Variant('u', 3)})
        data = b''
        while part := stream.exactly(65536):
            data += part
        rows = [row for row in map(json.loads, data.decode().splitlines()) if row['type'] == 'logprobs']
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertEqual([len(entry) for entry in row['top']], [3, 3])

    def test_marks_between_words(self):
        """A token without text joins no words: what is streamed is what the tokens read as."""
        end = 2
        tokens, frames, _result = self.tokens(
            seed=('t', 1), ignore_end=('b', True), max_tokens=('u', 60), logit_bias=('a{ud}', {end: 14}))
        between = tokens[1:-1]
        self.assertIn(end, between)
        self.assertGreater(len(between) - between.count(end), 10)
        said = bytes(self.app.call(self.path(TINY), 'Model.Detokenize', '(aua{sv})', (tokens, {}))).decode(errors='replace')
        self.assertEqual(said, text_of(frames))

    def test_stop_tokens(self):
        tokens, frames, _result = self.tokens(temperature=('d', 0))
        n = tokens.index(tokens[3])
        stopped, short, result = self.tokens(temperature=('d', 0), stop_tokens=('au', [tokens[3]]))
        self.assertEqual(stopped, tokens[:n])
        self.assertEqual(result['reason'], 'stop')
        self.assertTrue(text_of(frames).startswith(text_of(short)))

    def test_logit_bias(self):
        tokens, _frames, _result = self.tokens(temperature=('d', 0))
        other, _frames, _result = self.tokens(temperature=('d', 0), logit_bias=('a{ud}', {tokens[0]: -100}))
        self.assertNotIn(tokens[0], other)
        forced, _frames, _result = self.tokens(temperature=('d', 0), logit_bias=('a{ud}', {tokens[2]: 100}))
        self.assertEqual(set(forced), {tokens[2]})

    def test_presets(self):
        seed = ('t', 11)
        precise, _frames, result = self.tokens(preset=('s', 'precise'), seed=seed)
        self.assertEqual(result['seed'], 11)
        self.assertEqual(precise, self.tokens(temperature=('d', 0.3), top_k=('u', 20), top_p=('d', 0.9), min_p=('d', 0.1), seed=seed)[0])
        self.assertEqual(self.tokens(preset=('s', 'balanced'), seed=seed)[0], self.tokens(seed=seed)[0])
        # what is given counts more
        greedy = self.tokens(temperature=('d', 0))[0]
        self.assertEqual(self.tokens(preset=('s', 'creative'), temperature=('d', 0), dry_multiplier=('d', 0))[0], greedy)

    def test_order(self):
        greedy = self.tokens(temperature=('d', 0))[0]
        self.assertEqual(self.tokens(samplers=('as', ['top-k']), top_k=('u', 1))[0], greedy)
        # without top-k in the list it is not used
        free = [self.tokens(samplers=('as', ['temperature']), top_k=('u', 1), temperature=('d', 5), seed=('t', n))[0] for n in range(3)]
        self.assertTrue(any(tokens != greedy for tokens in free))

    def test_all_of_them(self):
        options = {'typical_p': ('d', 0.9), 'top_n_sigma': ('d', 2), 'xtc_probability': ('d', 0.5), 'dry_multiplier': ('d', 0.8),
                   'temperature_range': ('d', 0.5), 'seed': ('t', 3), 'max_tokens': ('u', 40)}
        first = self.tokens(**options)[0]
        self.assertEqual(first, self.tokens(**options)[0])
        mirostat = self.tokens(mirostat=('b', True), mirostat_tau=('d', 2), seed=('t', 3), max_tokens=('u', 40))[0]
        self.assertEqual(mirostat, self.tokens(mirostat=('b', True), mirostat_tau=('d', 2), seed=('t', 3), max_tokens=('u', 40))[0])

    def test_refused(self):
        for key, value in (('logit-bias', ('a{ud}', {10**9: 1.0})), ('logit-bias', ('a{ud}', {1: 101.0})),
                           ('logit-bias', ('a{ud}', {1: math.nan})), ('stop-tokens', ('au', [10**9])),
                           ('samplers', ('as', ['top-k', 'top-k'])), ('samplers', ('as', ['top-q']))):
            text = self.assertFails('InvalidArgs', self.app.text, TINY, PROMPT, **{key: GLib.Variant(*value)})
            self.assertIn(f'“{key}”', text)


if __name__ == '__main__':
    woolly_tap.main()
