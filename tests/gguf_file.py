# SPDX-License-Identifier: LGPL-2.1-or-later
"""GGUF files in plain Python: read them, write them; independent of the engine.

    keys, tensors = gguf_file.read(path)
    gguf_file.write(path, keys, tensors)

keys: {name: (type number, bytes of the value behind its type)}.  tensors: {name: Tensor}.
"""
import collections
import struct

Tensor = collections.namedtuple('Tensor', 'ne type data')  # ne: innermost extent first

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
VALUE_BYTES = {U8: 1, I8: 1, U16: 2, I16: 2, U32: 4, I32: 4, F32: 4, BOOL: 1, U64: 8, I64: 8, F64: 8}
# type number: weights in a block, bytes of a block
BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
          11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 19: (256, 50), 20: (32, 18), 23: (256, 136),
          30: (1, 2), 39: (32, 17)}
ALIGNMENT = 32


def string(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack('<Q', len(data)) + data


def u16(value):
    return U16, struct.pack('<H', value)


def u32(value):
    return U32, struct.pack('<I', value)


def text(value):
    return STRING, string(value)


def n_bytes(ne, kind):
    length, size = BLOCKS[kind]
    n = 1
    for extent in ne:
        n *= extent
    return n // length * size


class _Reader:

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def skip_value(self, kind):
        if kind == STRING:
            self.take(self.number('<Q'))
        elif kind == ARRAY:
            item, n = self.number('<I'), self.number('<Q')
            for _ in range(n):
                self.skip_value(item)
        else:
            self.take(VALUE_BYTES[kind])


def _padded(n):
    return -(-n // ALIGNMENT) * ALIGNMENT


def read(path):
    """Of files with the usual alignment."""
    with open(path, 'rb') as file:
        reader = _Reader(file.read())
    assert reader.take(4) == b'GGUF' and reader.number('<I') in (2, 3)
    n_tensors, n_keys = reader.number('<Q'), reader.number('<Q')
    keys, places, tensors = {}, {}, {}
    for _ in range(n_keys):
        name, kind = reader.take(reader.number('<Q')).decode(), reader.number('<I')
        begin = reader.at
        reader.skip_value(kind)
        keys[name] = (kind, reader.data[begin:reader.at])
    for _ in range(n_tensors):
        name = reader.take(reader.number('<Q')).decode()
        ne = struct.unpack(f'<{(n := reader.number("<I"))}Q', reader.take(8 * n))
        places[name] = (ne, reader.number('<I'), reader.number('<Q'))
    begin = _padded(reader.at)
    for name, (ne, kind, offset) in places.items():
        tensors[name] = Tensor(ne, kind, reader.data[begin + offset:begin + offset + n_bytes(ne, kind)])
    return keys, tensors


def write(path, keys, tensors):
    head = [b'GGUF', struct.pack('<IQQ', 3, len(tensors), len(keys))]
    for name, (kind, value) in keys.items():
        head += [string(name), struct.pack('<I', kind), value]
    offset = 0
    for name, tensor in tensors.items():
        head += [string(name), struct.pack(f'<I{len(tensor.ne)}Q', len(tensor.ne), *tensor.ne),
                 struct.pack('<IQ', tensor.type, offset)]
        offset += _padded(len(tensor.data))
    head = b''.join(head)
    with open(path, 'wb') as file:
        file.write(head.ljust(_padded(len(head)), b'\0'))
        for tensor in tensors.values():
            file.write(tensor.data.ljust(_padded(len(tensor.data)), b'\0'))


def split(folder, stem, keys, tensors, n_parts):
    """Writes the same as several files, tensors dealt out in turn; returns their paths."""
    paths, names = [], list(tensors)
    for part in range(n_parts):
        own = dict(keys) if part == 0 else {}
        own.update({'split.no': u16(part), 'split.count': u16(n_parts),
                    'split.tensors.count': (I32, struct.pack('<i', len(tensors)))})
        paths.append(f'{folder}/{stem}-{part + 1:05}-of-{n_parts:05}.gguf')
        write(paths[-1], own, {name: tensors[name] for name in names[part::n_parts]})
    return paths
