#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random blocks of every quantised type, and what they stand for.

Written from the description of the format alone, with exact fractions and one rounding where the format rounds, so that
it shares nothing with the code that it checks.  All bits are random, so that every scale, sign and offset appears; only
float16 scales that are no numbers are left out.

    quant_samples.py OUT

OUT is a sequence of records, little-endian: u32 type, u32 n_weights, u32 n_bytes, the blocks, n_weights float32.
"""
import fractions
import random
import struct
import sys

Fraction = fractions.Fraction
N_BLOCKS_OF = {32: 64, 256: 12}
IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
E2M1 = [Fraction(n, 2) for n in (0, 1, 2, 3, 4, 6, 8, 12)]


def round_f32(value):
    """The nearest float32 of a fraction, ties to even, as a fraction."""
    if value == 0:
        return value
    magnitude = abs(value)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if magnitude < Fraction(2) ** exponent:
        exponent -= 1
    step = Fraction(2) ** max(exponent - 23, -149)
    return round(value / step) * step  # round() of a fraction takes ties to even


def half(data, at):
    """A float16 as a fraction."""
    bits, = struct.unpack_from('<H', data, at)
    sign, exponent, mantissa = bits >> 15, bits >> 10 & 31, bits & 1023
    value = Fraction(mantissa, 1024) if exponent == 0 else 1 + Fraction(mantissa, 1024)
    value *= Fraction(2) ** (max(exponent, 1) - 15)
    return -value if sign else value


def bits_of(data, first, width):
    """Bits first .. first + width - 1 of data read as one little-endian number."""
    return int.from_bytes(data, 'little') >> first & (1 << width) - 1


def affine(scale, q, minimum=None):
    """scale * q - minimum as float32 arithmetic computes it."""
    product = round_f32(scale * q)
    return product if minimum is None else round_f32(product - minimum)


def q4_0(b):
    return [affine(half(b, 0), bits_of(b[2:], 8 * (i % 16) + 4 * (i // 16), 4) - 8) for i in range(32)]


def q4_1(b):
    return [affine(half(b, 0), bits_of(b[4:], 8 * (i % 16) + 4 * (i // 16), 4), -half(b, 2)) for i in range(32)]


def five(high, low, i):
    return bits_of(low, 8 * (i % 16) + 4 * (i // 16), 4) + 16 * bits_of(high, i, 1)


def q5_0(b):
    return [affine(half(b, 0), five(b[2:6], b[6:], i) - 16) for i in range(32)]


def q5_1(b):
    return [affine(half(b, 0), five(b[4:8], b[8:], i), -half(b, 2)) for i in range(32)]


def q8_0(b):
    return [affine(half(b, 0), q) for q in struct.unpack_from('<32b', b, 2)]


def two(b, i):
    """Two bits of weight i: 128 weights share 32 bytes, each byte has weights 32 apart."""
    return bits_of(b[32 * (i // 128):], 8 * (i % 32) + 2 * (i // 32 % 4), 2)


def q2_k(b):
    scales, twos, d, dmin = b[:16], b[16:80], half(b, 80), half(b, 82)
    return [affine(round_f32(d * (scales[i // 16] % 16)), two(twos, i), round_f32(dmin * (scales[i // 16] // 16)))
            for i in range(256)]


def q3_k(b):
    high, twos, scales, d = b[:32], b[32:96], b[96:108], half(b, 108)
    nibbles = [byte % 16 for byte in scales[:8]] + [byte // 16 for byte in scales[:8]]
    tops = [scales[8 + i % 4] >> 2 * (i // 4) & 3 for i in range(16)]
    result = []
    for i in range(256):
        group = i // 16
        q = two(twos, i) + 4 * (high[i % 32] >> i // 32 & 1) - 4
        result.append(affine(round_f32(d * (nibbles[group] + 16 * tops[group] - 32)), q))
    return result


def six_bit_pairs(s):
    """Scales and mins of eight groups from twelve bytes."""
    scales = [s[g] & 63 for g in range(4)] + [s[8 + g] % 16 + 16 * (s[g] >> 6) for g in range(4)]
    mins = [s[4 + g] & 63 for g in range(4)] + [s[8 + g] // 16 + 16 * (s[4 + g] >> 6) for g in range(4)]
    return scales, mins


def k_affine(b, q_of):
    scales, mins = six_bit_pairs(b[4:16])
    return [affine(round_f32(half(b, 0) * scales[i // 32]), q_of(i), round_f32(half(b, 2) * mins[i // 32]))
            for i in range(256)]


def q4_k(b):
    return k_affine(b, lambda i: bits_of(b[16 + 32 * (i // 64):], 8 * (i % 32) + 4 * (i // 32 % 2), 4))


def q5_k(b):
    return k_affine(b, lambda i: bits_of(b[48 + 32 * (i // 64):], 8 * (i % 32) + 4 * (i // 32 % 2), 4)
                    + 16 * (b[16 + i % 32] >> i // 32 & 1))


def q6_k(b):
    low, high, scales, d = b[:128], b[128:192], struct.unpack_from('<16b', b, 192), half(b, 208)
    result = []
    for i in range(256):
        part, quarter, place = i // 128, i // 32 % 4, i % 32
        nibble = low[64 * part + 32 * (quarter % 2) + place] >> 4 * (quarter // 2) & 15
        top = high[32 * part + place] >> 2 * quarter & 3
        result.append(affine(round_f32(d * scales[i // 16]), nibble + 16 * top - 32))
    return result


def iq4_nl(b):
    return [affine(half(b, 0), IQ4[bits_of(b[2:], 8 * (i % 16) + 4 * (i // 16), 4)]) for i in range(32)]


def iq4_xs(b):
    result = []
    for i in range(256):
        group, place = i // 32, i % 32
        scale = bits_of(b[4:8], 4 * group, 4) + 16 * bits_of(b[2:4], 2 * group, 2) - 32
        nibble = bits_of(b[8 + 16 * group:], 8 * (place % 16) + 4 * (place // 16), 4)
        result.append(affine(round_f32(half(b, 0) * scale), IQ4[nibble]))
    return result


def mxfp4(b):
    result = []
    for i in range(32):
        nibble = bits_of(b[1:], 8 * (i % 16) + 4 * (i // 16), 4)
        value = E2M1[nibble % 8] * (-1 if nibble >= 8 else 1)
        result.append(round_f32(Fraction(2) ** (b[0] - 127) * value))
    return result


# type number of the format, weights and bytes of a block, places of float16 scales
TYPES = [
    (2, 32, 18, (0,), q4_0), (3, 32, 20, (0, 2), q4_1), (6, 32, 22, (0,), q5_0), (7, 32, 24, (0, 2), q5_1),
    (8, 32, 34, (0,), q8_0), (10, 256, 84, (80, 82), q2_k), (11, 256, 110, (108,), q3_k), (12, 256, 144, (0, 2), q4_k),
    (13, 256, 176, (0, 2), q5_k), (14, 256, 210, (208,), q6_k), (20, 32, 18, (0,), iq4_nl),
    (23, 256, 136, (0,), iq4_xs), (39, 32, 17, (), mxfp4),
]


def random_block(numbers, n_bytes, halves):
    block = bytearray(numbers.randbytes(n_bytes))
    for at in halves:
        if block[at + 1] & 0x7c == 0x7c:  # infinity or NaN
            block[at + 1] ^= 0x40
    return bytes(block)


def main():
    numbers = random.Random(20261123)
    with open(sys.argv[1], 'wb') as out:
        for kind, length, n_bytes, halves, decode in TYPES:
            blocks = [random_block(numbers, n_bytes, halves) for _ in range(N_BLOCKS_OF[length])]
            if kind == 39:  # the ends of the range of exponents, too; 2^127 * 6 is no float32
                blocks[:4] = [bytes([e]) + block[1:] for e, block in zip((0, 1, 2, 252), blocks)]
                blocks[4:] = [bytes([min(block[0], 252)]) + block[1:] for block in blocks[4:]]
            weights = [value for block in blocks for value in decode(block)]
            out.write(struct.pack('<3I', kind, len(weights), n_bytes * len(blocks)))
            out.write(b''.join(blocks))
            out.write(b''.join(struct.pack('<f', float(value)) for value in weights))


if __name__ == '__main__':
    main()
