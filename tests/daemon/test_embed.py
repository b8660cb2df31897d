#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Vectors and scores over D-Bus: pooling of a decoder against pooling by hand of what it gives for each beginning of a
text; small models of the bert family against the network in double precision."""
import fcntl
import json
import math
import os
import struct
import subprocess
import sys

from gi.repository import GLib

import gguf_file
import woolly_tap
from real_service import BUNDLED, SOURCE, TINY, RealCase, models_folder

sys.path.insert(0, os.path.join(SOURCE, 'tests', 'generators'))
import arch_samples  # noqa: E402
from arch_net import Net, apply  # noqa: E402

MEAN, CLS, LAST, RANK = 1, 2, 3, 4
TEXT = 'Tell me a story about a red ball.'
F_GET_SEALS, SEALS = 1034, 0xf  # of linux/fcntl.h: seal, shrink, grow, write


def string(text):
    return struct.pack('<Q', len(text)) + text.encode()


def make_pooled(name, pooling, context=None):
    """The bundled model with one more key, which moves what lies behind the header; and with another context."""
    path = os.path.join(models_folder(), name + '.gguf')
    with open(BUNDLED, 'rb') as file:
        data = file.read()
    if context is not None:
        at = data.index(string('llama.context_length')) + len(string('llama.context_length')) + 4
        data = data[:at] + struct.pack('<I', context) + data[at + 4:]
    n_tensors, n_keys = struct.unpack_from('<QQ', data, 8)
    end = 24
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

    def skip(at, kind):
        if kind == 8:
            return at + 8 + struct.unpack_from('<Q', data, at)[0]
        if kind != 9:
            return at + sizes[kind]
        item, n = struct.unpack_from('<IQ', data, at)
        at += 12
        if item != 8:
            return at + n * sizes[item]
        for _ in range(n):
            at = skip(at, 8)
        return at

    for _ in range(n_keys):
        end = skip(end, 8)
        end = skip(end + 4, struct.unpack_from('<I', data, end)[0])
    infos = end
    for _ in range(n_tensors):
        end = skip(end, 8)
        end += 4 + 8 * struct.unpack_from('<I', data, end)[0] + 12
    key = string('llama.pooling_type') + struct.pack('<II', 4, pooling)
    head = data[:8] + struct.pack('<QQ', n_tensors, n_keys + 1) + data[24:infos] + key + data[infos:end]
    with open(path, 'wb') as file:
        file.write(head + bytes(-len(head) % 32) + data[end + -end % 32:])
    return name


class Embed(RealCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, pooling in (('mean', MEAN), ('cls', CLS), ('last', LAST)):
            make_pooled(name, pooling)

    def embed(self, model, texts, **options):
        options = {key: GLib.Variant(*value) for key, value in options.items()}
        (handle, info), fds = self.app.call_fds(self.path(model), 'Model.Embed', '(asa{sv})', (texts, options))
        fd = fds.steal_fds()[handle]
        self.assertEqual(fcntl.fcntl(fd, F_GET_SEALS) & SEALS, SEALS)
        with os.fdopen(fd, 'rb') as file:
            data = file.read()
        self.assertEqual(info['rows'], len(texts))
        self.assertEqual(len(data), 4 * info['rows'] * info['dimensions'])
        values = struct.unpack(f'<{len(data) // 4}f', data)
        n = info['dimensions']
        return [values[i:i + n] for i in range(0, len(values), n)]

    def beginnings(self):
        """Texts of which each has one token more than the one before."""
        texts = ['']
        for n in range(1, len(TEXT) + 1):
            counts = [self.app.call(self.path('last'), 'Model.Count', '(a{sv}a{sv})', (
                {'prompt': GLib.Variant('s', text)}, {'add-bos': GLib.Variant('b', True)})) for text in (texts[-1], TEXT[:n])]
            tokens = [self.app.call(self.path('last'), 'Model.Tokenize', '(a{sv}a{sv})', (
                {'prompt': GLib.Variant('s', text)}, {'add-bos': GLib.Variant('b', True)})) for text in (TEXT[:n], TEXT)]
            if counts[1] == counts[0] + 1 and list(tokens[1])[:len(tokens[0])] == list(tokens[0]):
                texts.append(TEXT[:n])
        return texts

    def close_to(self, a, b, tolerance=2e-4):
        scale = max(abs(x) for x in b)
        for x, y in zip(a, b):
            self.assertLess(abs(x - y), tolerance * scale)

    def test_pooling_by_hand(self):
        texts = self.beginnings()
        self.assertGreater(len(texts), 4)
        hidden = self.embed('last', texts, raw=('b', True))  # of each token of the last text
        self.assertNotEqual(hidden[0], hidden[1])
        mean = [sum(row[i] for row in hidden) / len(hidden) for i in range(len(hidden[0]))]
        self.close_to(self.embed('mean', texts[-1:], raw=('b', True))[0], mean)
        self.close_to(self.embed('cls', texts[-1:], raw=('b', True))[0], hidden[0])

    def test_batches_change_nothing(self):
        texts = [f'{TEXT} {n}' * (n % 7 + 1) for n in range(90)]
        together = self.embed('mean', texts)
        for n in (0, 13, 89):
            self.assertEqual(self.embed('mean', [texts[n]])[0], together[n])

    def test_small_batches(self):
        """A setting for small batches is one for few texts in each."""
        texts = [f'{TEXT} {n}' for n in range(9)]
        usual = self.embed('mean', texts)
        self.write_config('[compute]\nbatch-tokens=2\n')
        self.app.admin('Reload')
        self.app.admin('Unload', '(ob)', (self.path('mean'), True))
        self.until(lambda: self.app.models()['mean']['State'] == 'available')
        for few, many in zip(self.embed('mean', texts), usual):
            self.close_to(few, many)

    def test_long_texts(self):
        """A text of more tokens than a step has, in several steps and then in one."""
        if self.sanitized():
            self.skipTest('a sanitizer takes minutes to read so much')
        text = ' '.join(f'{TEXT} {n}' for n in range(300))
        names = [make_pooled(f'long-{name}', pooling, 8192) for name, pooling in (('mean', MEAN), ('cls', CLS), ('last', LAST))]
        self.until(lambda: all(name in self.app.models() for name in names))
        tokens = self.app.call(self.path('long-mean'), 'Model.Tokenize', '(a{sv}a{sv})', ({'prompt': GLib.Variant('s', text)}, {}))
        self.assertGreater(len(tokens), 4096)
        steps = [self.embed(name, ['x', text, TEXT], raw=('b', True)) for name in names]
        self.write_config('[compute]\nbatch-tokens=8192\n')
        self.app.admin('Reload')
        for name, (first, several, last) in zip(names, steps):
            self.app.admin('Unload', '(ob)', (self.path(name), True))
            self.until(lambda name=name: self.app.models()[name]['State'] == 'available')
            one = self.embed(name, [text], raw=('b', True))[0]
            self.close_to(several, one, 1e-5)
            self.assertEqual(self.embed(name, ['x', TEXT], raw=('b', True)), [first, last])
            if name != 'long-cls':  # each begins with the same token
                self.assertNotEqual(several, first)
        self.assertIn('context takes at most 8192', self.assertFails('InvalidArgs', self.embed, 'long-mean', [text * 3]))

    def test_length_and_dimensions(self):
        whole = self.embed('mean', [TEXT])[0]
        raw = self.embed('mean', [TEXT], raw=('b', True))[0]
        cut = self.embed('mean', [TEXT], dimensions=('u', 10))[0]
        self.assertAlmostEqual(math.hypot(*whole), 1, 5)
        self.assertEqual(len(cut), 10)
        self.close_to(whole, [x / math.hypot(*raw) for x in raw], 1e-6)
        self.close_to(cut, [x / math.hypot(*raw[:10]) for x in raw[:10]], 1e-6)

    def test_refused(self):
        for model, texts, options, name in ((TINY, ['x'], {}, 'NotSupported'), ('mean', [], {}, 'InvalidArgs'),
                                            ('mean', ['x'] * 4097, {}, 'InvalidArgs'),
                                            ('mean', ['word ' * 4000], {}, 'InvalidArgs'),
                                            ('mean', ['x'], {'dimensions': ('u', 60000)}, 'InvalidArgs')):
            self.assertFails(name, self.embed, model, texts, **options)
        self.assertFails('NotSupported', self.app.call, self.path('mean'), 'Model.Rerank', '(sasa{sv})', ('a', ['b'], {}))
        self.assertFails('NotSupported', self.app.text, 'mean', 'x')

    def test_woollyctl(self):
        program = os.environ['WOOLLYCTL']
        out = subprocess.run([program, 'embed', '-m', 'mean', TEXT, 'x'], check=True, capture_output=True, text=True,
                             timeout=120, env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': self.address}).stdout
        rows = [[float(x) for x in line.split()] for line in out.splitlines()]
        self.assertEqual(len(rows), 2)
        self.close_to(rows[0], self.embed('mean', [TEXT])[0], 1e-6)


CLS_TOKEN, SEP_TOKEN = 2, 3  # of the vocabulary
DOCUMENTS = ['over the world', 'Hello world', "don't the the x 12", 'a', '']


class Bert(RealCase):
    """With WordPiece and its special tokens; weights are random."""

    def make_bert(self, name, pooling, arch='bert', context=None):
        """The network, and the file of it."""
        vocabulary, _tensors = gguf_file.read(os.path.join(SOURCE, 'tests', 'data', 'tokenizers', 'wpm.gguf'))
        keys = {key: value for key, value in vocabulary.items() if key.startswith('tokenizer.')}
        n_vocab = struct.unpack_from('<IQ', keys['tokenizer.ggml.tokens'][1])[1]
        net = Net(arch, 92, 2, 24, 40, 4, 4, 6, n_vocab)
        net.tokens = [CLS_TOKEN]
        self.compute(net, pooling)  # draws the weights
        if context is not None:
            net.key('context_length', gguf_file.u32(context))
        gguf_file.write(os.path.join(models_folder(), name + '.gguf'), {**net.keys, **keys}, net.tensors)
        self.until(lambda: name in self.app.models())
        self.app.call(self.path(name), 'Model.Load', '(a{sv})', ({'activations': GLib.Variant('s', 'f32')},))
        return net

    def compute(self, net, pooling):
        rows = arch_samples.bert(net, pooling)
        if pooling == MEAN:
            return arch_samples.mean(rows)[0]
        dense = net.linear('cls', rows[:1], 24, 24, True)
        return net.linear('cls.output', apply(math.tanh, dense), 24, 1, True)[0]

    def tokens(self, model, text):
        return list(self.app.call(self.path(model), 'Model.Tokenize', '(a{sv}a{sv})', ({'prompt': GLib.Variant('s', text)}, {})))

    def test_scores(self):
        net = self.make_bert('bert-rank', RANK)
        # The file was looked at while it was written, and is again.
        self.until(lambda: self.app.models()['bert-rank']['Capabilities'] == ['rerank'])
        scores = self.app.call(self.path('bert-rank'), 'Model.Rerank', '(sasa{sv})', ('the', DOCUMENTS, {}))
        shares = self.app.call(self.path('bert-rank'), 'Model.Rerank', '(sasa{sv})', (
            'the', DOCUMENTS, {'normalize': GLib.Variant('b', True)}))
        for document, score, share in zip(DOCUMENTS, scores, shares):
            net.tokens = [CLS_TOKEN, *self.tokens('bert-rank', 'the'), SEP_TOKEN, *self.tokens('bert-rank', document), SEP_TOKEN]
            expected = self.compute(net, RANK)[0]
            self.assertLess(abs(score - expected), 2e-3 * max(1, abs(expected)), document)
            self.assertAlmostEqual(share, 1 / (1 + math.exp(-score)), 9)
        self.assertGreater(max(scores) - min(scores), 0.01)

    def ctl(self, *arguments, stdin=b'', status=0):
        done = subprocess.run([os.environ['WOOLLYCTL'], *arguments], input=stdin, capture_output=True, timeout=120,
                              env={**os.environ, 'DBUS_SESSION_BUS_ADDRESS': self.address})
        self.assertEqual(done.returncode, status, done.stderr)
        self.error = done.stderr.decode()
        return done.stdout.decode()

    def test_woollyctl(self):
        self.make_bert('bert-order', RANK)
        self.until(lambda: self.app.models()['bert-order']['Capabilities'] == ['rerank'])
        rerank = ['rerank', '-m', 'bert-order']
        documents = DOCUMENTS[:3] + ['नमस्ते दुनिया']
        scores = self.app.call(self.path('bert-order'), 'Model.Rerank', '(sasa{sv})', ('the', documents, {}))
        best = sorted(range(4), key=lambda i: -scores[i])
        rows = [line.split('\t') for line in self.ctl(*rerank, 'the', *documents).splitlines()]
        self.assertEqual([text for _, text in rows], [documents[i] for i in best])
        for (score, _), i in zip(rows, best):
            self.assertAlmostEqual(float(score), scores[i], 6)
        lines = '\n'.join(documents).encode()
        for stdin in (lines, lines + b'\n'):
            self.assertEqual([line.split('\t') for line in self.ctl(*rerank, 'the', stdin=stdin).splitlines()], rows)
        results = json.loads(self.ctl(*rerank, '--json', '--normalize', 'the', stdin=lines))['results']
        self.assertEqual([(row['index'], row['document']) for row in results], [(i, documents[i]) for i in best])
        for row in results:
            self.assertAlmostEqual(row['score'], 1 / (1 + math.exp(-scores[row['index']])), 6)
        # one that is empty, one of two lines
        self.assertEqual(len(self.ctl(*rerank, 'the', stdin=b'\n').splitlines()), 1)
        self.assertEqual(self.ctl(*rerank, 'the', 'two\nlines').split('\t')[1], 'two lines\n')
        self.ctl(*rerank, 'the', stdin=b'', status=1)
        self.assertIn('no document', self.error)
        self.ctl(*rerank, 'the', stdin=b'a\xff', status=1)
        self.ctl(*rerank, 'the', b'a\xff', status=2)
        self.ctl(*rerank, status=2)
        self.ctl('rerank', '-m', TINY, 'the', 'a', status=1)

    def test_long_texts(self):
        """Each token sees those behind it, so that a text is one step; a setting makes that larger."""
        self.make_bert('bert-short', MEAN)
        self.make_bert('bert-long', MEAN, 'nomic-bert', 6000)
        self.assertIn('context takes at most ', self.assertFails('InvalidArgs', self.embed, 'bert-short', ['the'] * 2 + ['the ' * 200]))
        self.assertIn('Text 1 has 3002 tokens; this model reads a text in one step, of at most 2048: the setting batch-tokens',
                      self.assertFails('InvalidArgs', self.embed, 'bert-long', ['the', 'the ' * 3000]))
        self.write_config('[compute]\nbatch-tokens=4096\n')
        self.app.admin('Reload')
        self.app.admin('Unload', '(ob)', (self.path('bert-long'), True))
        self.until(lambda: self.app.models()['bert-long']['State'] == 'available')
        self.embed('bert-long', ['the ' * 3000])

    def embed(self, name, texts):
        self.app.call_fds(self.path(name), 'Model.Embed', '(asa{sv})', (texts, {}))

    def test_vectors(self):
        net = self.make_bert('bert-mean', MEAN)
        (handle, info), fds = self.app.call_fds(self.path('bert-mean'), 'Model.Embed', '(asa{sv})', (
            DOCUMENTS, {'raw': GLib.Variant('b', True)}))
        with os.fdopen(fds.steal_fds()[handle], 'rb') as file:
            data = file.read()
        self.assertEqual((info['rows'], info['dimensions']), (len(DOCUMENTS), 24))
        for n, document in enumerate(DOCUMENTS):
            net.tokens = [CLS_TOKEN, *self.tokens('bert-mean', document), SEP_TOKEN]
            for got, expected in zip(struct.unpack_from('<24f', data, 96 * n), self.compute(net, MEAN)):
                self.assertLess(abs(got - expected), 2e-3 * max(1, abs(expected)))


if __name__ == '__main__':
    woolly_tap.main()
