#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""woolly-bench dequantise: the same model with float32 weights, or a reason and no file."""
import os
import struct
import subprocess
import tempfile
import unittest

import gguf_file
import woolly_tap

BENCH = os.environ['WOOLLY_BENCH']
MAKE_MODEL = os.environ['WOOLLY_MAKE_MODEL']
TYPES = ('F32', 'F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'IQ4_NL',
         'IQ4_XS', 'MXFP4')


def run(*arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, check=False, timeout=60)


class Dequantise(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.source, self.result = self.path('in.gguf'), self.path('out.gguf')

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, *arguments):
        subprocess.run([MAKE_MODEL, '--layers', '1', *arguments, self.source], check=True)
        return gguf_file.read(self.source)

    def dequantise(self, source=None):
        done = run('dequantise', source or self.source, self.result)
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, '', ''))
        return gguf_file.read(self.result)

    def assert_same_model(self, before, after):
        keys, tensors = before
        new_keys, new_tensors = after
        expected = dict(keys, **{'general.file_type': gguf_file.u32(0)})
        self.assertEqual(new_keys, expected)
        self.assertEqual(list(new_tensors), list(tensors))
        for name, tensor in tensors.items():
            self.assertEqual(new_tensors[name].ne, tensor.ne, name)
            self.assertEqual(new_tensors[name].type, 0, name)
            if tensor.type == 0:
                self.assertEqual(new_tensors[name].data, tensor.data, name)

    def assert_refused(self, status, *words, source=None, result=None):
        before = sorted(os.listdir(self.folder))
        done = run('dequantise', source or self.source, result or self.result)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, '')
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_every_type(self):
        for kind in TYPES:
            with self.subTest(type=kind):
                self.assert_same_model(self.make('--type', kind), self.dequantise())

    def test_values(self):
        """Q8_0 is d * q: easy enough to do again."""
        _, tensors = self.make('--type', 'Q8_0')
        _, floats = self.dequantise()
        name = 'blk.0.attn_q.weight'
        for block in range(0, 64):
            scale, *numbers = struct.unpack_from('<e32b', tensors[name].data, 34 * block)
            got = struct.unpack_from('<32f', floats[name].data, 128 * block)
            self.assertEqual(list(got), [scale * number for number in numbers])

    def test_split_model(self):
        keys, tensors = self.make('--type', 'Q4_K')
        paths = gguf_file.split(self.folder, 'model', keys, tensors, 3)
        whole = self.dequantise()
        parts = self.dequantise(source=paths[0])
        self.assertEqual(parts[0], whole[0])
        self.assertEqual(parts[1], whole[1])
        self.assert_refused(1, '00002-of-00003', 'name the first', source=paths[1])
        os.unlink(paths[2])
        self.assert_refused(1, '00003-of-00003.gguf', source=paths[0])

    def test_in_place(self):
        before = self.make('--type', 'Q4_0')
        self.result = self.source
        self.assert_same_model(before, self.dequantise())

    def test_experts(self):
        self.assert_same_model(self.make('--experts', '4', '--experts-used', '2', '--type', 'Q6_K'), self.dequantise())

    def test_unsupported_type(self):
        keys, tensors = self.make('--type', 'F32')
        tensors['odd.weight'] = gguf_file.Tensor((256, 2), 19, bytes(100))
        gguf_file.write(self.source, keys, tensors)
        self.assert_refused(1, 'odd.weight', 'IQ1_S')

    def test_old_file_stays(self):
        self.make('--type', 'F16')
        with open(self.source, 'r+b') as file:
            file.truncate(100000)
        with open(self.result, 'wb') as file:
            file.write(b'precious')
        self.assert_refused(1, self.source, 'is the file complete?')
        with open(self.result, 'rb') as file:
            self.assertEqual(file.read(), b'precious')

    def test_files_that_are_not_there(self):
        self.assert_refused(1, self.path('nowhere.gguf'), 'No such file', source=self.path('nowhere.gguf'))
        self.make()
        self.assert_refused(1, 'No such file', result=self.path('nowhere/out.gguf'))
        self.assert_refused(2, 'no regular file', result=self.folder)
        self.assert_refused(1, 'not a regular file', source=self.folder)

    def test_command_line(self):
        self.assertEqual(run().returncode, 2)
        self.assertEqual(run('nonsense').returncode, 2)
        self.assertEqual(run('dequantise').returncode, 2)
        self.assertEqual(run('dequantise', 'a', 'b', 'c').returncode, 2)
        self.assertEqual(run('dequantise', '--nonsense', 'a', 'b').returncode, 2)
        for arguments in (['--help'], ['dequantise', '--help'], ['--version']):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertIn('woolly-bench', done.stdout)


if __name__ == '__main__':
    woolly_tap.main()
