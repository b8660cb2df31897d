# SPDX-License-Identifier: LGPL-2.1-or-later
"""What networks are made of, as the papers write it, in double precision and plain Python.

A Net draws its weights as the forward pass asks for them, so that this is the one place which says what a sample holds;
the files that it writes are read by the engine, which shares nothing with what is computed here.  A value is a list of
rows, one for each token.
"""
import math
import os
import random
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import gguf_file  # noqa: E402
import quant_samples  # noqa: E402

F32, F16, MXFP4 = 0, 1, 39


def u32(value):
    return gguf_file.U32, struct.pack('<I', value)


def f32(value):
    return gguf_file.F32, struct.pack('<f', value)


def flag(value):
    return gguf_file.BOOL, struct.pack('<B', value)


def u32s(values):
    return gguf_file.ARRAY, struct.pack(f'<IQ{len(values)}I', gguf_file.U32, len(values), *values)


def half(x):
    return struct.unpack('<e', struct.pack('<e', x))[0]


def single(x):
    return struct.unpack('<f', struct.pack('<f', x))[0]


# ---- on one row, or on two ----

def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def add(a, b):
    return [[x + y for x, y in zip(p, q)] for p, q in zip(a, b)]


def mul(a, b):
    return [[x * y for x, y in zip(p, q)] for p, q in zip(a, b)]


def scaled(a, factor):
    return [[x * factor for x in row] for row in a]


def clamped(a, limit):
    return [[min(max(x, -limit), limit) for x in row] for row in a]


def apply(function, a):
    return [[function(x) for x in row] for row in a]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def silu(x):
    return x * sigmoid(x)


def gelu_tanh(x):
    """As GGUF files are run and measured: of a float16, as a float16."""
    if abs(x) >= 10:
        return max(x, 0)
    x = half(x)
    return half(0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))))


def softmax(x):
    top = max(x)
    e = [math.exp(v - top) for v in x]
    return [v / sum(e) for v in e]


def cap(a, limit):
    return [[limit * math.tanh(x / limit) for x in row] for row in a]


# ---- norms, on heads of a row where there is a size ----

def heads(row, size):
    return [row[i:i + size] for i in range(0, len(row), size)]


def rms_row(x, eps):
    return [v / math.sqrt(dot(x, x) / len(x) + eps) for v in x]


def layer_row(x, eps):
    mean = sum(x) / len(x)
    return [(v - mean) / math.sqrt(sum((w - mean) ** 2 for w in x) / len(x) + eps) for v in x]


def normed(a, row_norm, eps, gain=None, bias=None, size=0):
    """Gain and bias repeat over the heads, or are as long as a row."""
    result = []
    for row in a:
        y = [v for head in heads(row, size or len(row)) for v in row_norm(head, eps)]
        if gain is not None:
            y = [v * gain[i % len(gain)] for i, v in enumerate(y)]
        if bias is not None:
            y = [v + bias[i % len(bias)] for i, v in enumerate(y)]
        result.append(y)
    return result


# ---- rope (arXiv 2104.09864), YaRN (2309.00071) ----

class Rope:
    """neox: the halves of a head turn, else neighbours."""

    def __init__(self, size, neox, n_dims=0, base=10000.0, factors=None, factor=1.0, magnitude=1.0, yarn=None):
        self.size, self.neox, self.n, self.magnitude = size, neox, n_dims or size, magnitude
        self.frequencies = []
        for i in range(self.n // 2):
            frequency = base ** (-2 * i / self.n) / (factors[i] if factors else 1)
            share = self._share(i, base, *yarn) if yarn else 0
            self.frequencies.append(frequency * (share + (1 - share) / factor))

    def _share(self, i, base, n_ctx, fast=32.0, slow=1.0):
        """Of what stays as it was before the context grew: all of it where a pair turns often."""
        def dimension(turns):
            return self.n * math.log(n_ctx / (turns * 2 * math.pi)) / (2 * math.log(base))
        low = max(math.floor(dimension(fast)), 0)
        high = min(math.ceil(dimension(slow)), self.n - 1)
        return 1 - min(max((i - low) / max(high - low, 0.001), 0), 1)

    def __call__(self, a):
        result = []
        for position, row in enumerate(a):
            row = list(row)
            for begin in range(0, len(row), self.size):
                for i, frequency in enumerate(self.frequencies):
                    p, q = (i, i + self.n // 2) if self.neox else (2 * i, 2 * i + 1)
                    x, y = row[begin + p], row[begin + q]
                    c = math.cos(position * frequency) * self.magnitude
                    s = math.sin(position * frequency) * self.magnitude
                    row[begin + p], row[begin + q] = x * c - y * s, x * s + y * c
            result.append(row)
        return result


# ---- attention ----

def attention(q, k, v, size, scale=None, causal=True, window=0, limit=0, sinks=None, temperature=None):
    """Each head of q reads the head of k and v that its group shares; a sink takes part and gives nothing."""
    scale = scale or 1 / math.sqrt(size)
    result = []
    for t, row in enumerate(q):
        out = []
        n_head, n_kv = len(row) // size, len(k[0]) // size
        v_size = len(v[0]) // n_kv
        for h, head in enumerate(heads(row, size)):
            kv = h // (n_head // n_kv)
            seen = [s for s in range(len(k)) if (s <= t and (not window or t - s < window) if causal else
                                                 not window or abs(t - s) <= window // 2)]
            grown = 1 + temperature[0] * math.log(1 + t // temperature[1]) if temperature else 1
            scores = [dot(head, k[s][kv * size:(kv + 1) * size]) * scale * grown for s in seen]
            if limit:
                scores = [limit * math.tanh(x / limit) for x in scores]
            shares = softmax(scores + ([sinks[h]] if sinks else []))
            out += [sum(p * v[s][kv * v_size + i] for p, s in zip(shares, seen)) for i in range(v_size)]
        result.append(out)
    return result


# ---- weights ----

class Net:

    def __init__(self, architecture, seed, n_layer, n_embd, n_ff, n_head, n_kv, size, n_vocab, n_ctx=64, n_tokens=18):
        self.arch, self.numbers = architecture, random.Random(seed)
        self.n_layer, self.n_embd, self.n_ff, self.n_vocab, self.n_ctx = n_layer, n_embd, n_ff, n_vocab, n_ctx
        self.n_head, self.n_kv, self.size = n_head, n_kv, size
        self.tokens = [self.numbers.randrange(n_vocab) for _ in range(n_tokens)]
        self.tensors, self.values, self.keys = {}, {}, {'general.architecture': gguf_file.text(architecture)}
        self.key('context_length', u32(n_ctx)).key('embedding_length', u32(n_embd)).key('block_count', u32(n_layer))
        self.key('feed_forward_length', u32(n_ff)).key('attention.head_count', u32(n_head))
        self.key('attention.head_count_kv', u32(n_kv))
        if size * n_head != n_embd:
            self.key('attention.key_length', u32(size)).key('attention.value_length', u32(size))

    def key(self, name, value):
        self.keys[f'{self.arch}.{name}'] = value
        return self

    def _draw(self, name, ne, kind, deviation, mean):
        n = math.prod(ne)
        if kind == MXFP4:
            blocks = [bytes([self.numbers.randrange(122, 125)]) + self.numbers.randbytes(16) for _ in range(n // 32)]
            values = [float(x) for block in blocks for x in quant_samples.mxfp4(block)]
            data = b''.join(blocks)
        else:
            values = [(half if kind == F16 else single)(self.numbers.gauss(mean, deviation)) for _ in range(n)]
            data = struct.pack(f'<{n}{"e" if kind == F16 else "f"}', *values)
        self.tensors[name] = gguf_file.Tensor(tuple(ne), kind, data)
        self.values[name] = values

    def tensor(self, name, *ne, kind=F32, deviation=0.3, mean=0.0):
        """The whole tensor as a flat list; drawn when it is first asked for."""
        if name not in self.values:
            self._draw(name, ne, kind, deviation, mean)
        assert self.tensors[name].ne == ne, name
        return self.values[name]

    def rows(self, name, n_in, n_out, kind=F16, deviation=0.0):
        flat = self.tensor(name, n_in, n_out, kind=kind, deviation=deviation or 1 / math.sqrt(n_in))
        return heads(flat, n_in)

    def gain(self, name, *ne):
        return self.tensor(name, *ne, mean=1.0)

    def linear(self, name, a, n_in, n_out, bias=False):
        rows = self.rows(name + '.weight', n_in, n_out)
        b = self.tensor(name + '.bias', n_out) if bias else [0] * n_out
        return [[dot(row, x) + c for row, c in zip(rows, b)] for x in a]

    def rms(self, name, a, eps, size=0, bias=False):
        n = size or len(a[0])
        return normed(a, rms_row, eps, self.gain(name + '.weight', n), self.tensor(name + '.bias', n) if bias else None,
                      size)

    def layer_norm(self, name, a, eps, bias=True):
        n = len(a[0])
        return normed(a, layer_row, eps, self.gain(name + '.weight', n),
                      self.tensor(name + '.bias', n) if bias else None)

    def embed(self, scale=1.0):
        rows = self.rows('token_embd.weight', self.n_embd, self.n_vocab, deviation=1.0)
        return [[x * scale for x in rows[token]] for token in self.tokens]

    def output(self, a, tied=False, bias=False):
        if not tied:
            return self.linear('output', a, self.n_embd, self.n_vocab, bias)
        rows = self.rows('token_embd.weight', self.n_embd, self.n_vocab, deviation=1.0)
        return [[dot(row, x) for row in rows] for x in a]

    # ---- parts that many networks have ----

    def qkv(self, p, a, bias=False, fused=False):
        """q, k, v of layer prefix p."""
        n_q, n_k = self.n_head * self.size, self.n_kv * self.size
        if not fused:
            return [self.linear(p + name, a, self.n_embd, n, bias)
                    for name, n in (('attn_q', n_q), ('attn_k', n_k), ('attn_v', n_k))]
        whole = self.linear(p + 'attn_qkv', a, self.n_embd, n_q + 2 * n_k, bias)
        return [[row[begin:begin + n] for row in whole] for begin, n in ((0, n_q), (n_q, n_k), (n_q + n_k, n_k))]

    def out(self, p, a, bias=False):
        return self.linear(p + 'attn_output', a, self.n_head * self.size, self.n_embd, bias)

    def glu(self, p, a, act=silu, suffix='', n_ff=0):
        n_ff = n_ff or self.n_ff
        gate = apply(act, self.linear(p + 'ffn_gate' + suffix, a, self.n_embd, n_ff))
        up = self.linear(p + 'ffn_up' + suffix, a, self.n_embd, n_ff)
        return self.linear(p + 'ffn_down' + suffix, mul(gate, up), n_ff, self.n_embd)

    def mlp(self, p, a, act, bias=True):
        hidden = apply(act, self.linear(p + 'ffn_up', a, self.n_embd, self.n_ff, bias))
        return self.linear(p + 'ffn_down', hidden, self.n_ff, self.n_embd, bias)

    def expert(self, name, e, x, n_in, n_out, n_expert, kind, bias):
        flat = self.tensor(name + '.weight', n_in, n_out, n_expert, kind=kind, deviation=1 / math.sqrt(n_in))
        b = self.tensor(name + '.bias', n_out, n_expert) if bias else [0] * (n_out * n_expert)
        return [dot(flat[(e * n_out + r) * n_in:(e * n_out + r + 1) * n_in], x) + b[e * n_out + r]
                for r in range(n_out)]

    def experts(self, p, a, n_expert, n_used, n_ff, shares_of, kind=F16, bias=False,
                unit=lambda gate, up: silu(gate) * up, choice=lambda scores: scores, choice_bias=False, gated=True, routed=None):
        """shares_of (scores of all, ids of the chosen): their weights.  Chosen by choice (scores) + bias, of routed
        where that is not a itself."""
        extra = self.tensor(p + 'exp_probs_b.bias', n_expert) if choice_bias else [0] * n_expert
        result = []
        for x, scores in zip(a, self.linear(p + 'ffn_gate_inp', routed or a, self.n_embd, n_expert, bias)):
            ids = sorted(range(n_expert), key=lambda e: (-choice(scores)[e] - extra[e], e))[:n_used]
            total = [0.0] * self.n_embd
            for e, share in zip(ids, shares_of(scores, ids)):
                up = self.expert(p + 'ffn_up_exps', e, x, self.n_embd, n_ff, n_expert, kind, bias)
                gate = self.expert(p + 'ffn_gate_exps', e, x, self.n_embd, n_ff, n_expert, kind, bias) if gated else up
                hidden = [unit(g, u) for g, u in zip(gate, up)]
                down = self.expert(p + 'ffn_down_exps', e, hidden, n_ff, self.n_embd, n_expert, kind, bias)
                total = [t + share * d for t, d in zip(total, down)]
            result.append(total)
        return result

    # ---- files ----

    def write(self, stem, result):
        """The model, and its tokens with what it makes of them: rows for each token, or one for a pooled model."""
        gguf_file.write(stem + '.gguf', self.keys, self.tensors)
        with open(stem + '.logits', 'wb') as file:
            file.write(struct.pack(f'<4s2i{len(self.tokens)}i', b'WGL1', len(self.tokens), len(result[0]),
                                   *self.tokens))
            for row in result:
                file.write(struct.pack(f'<{len(row)}f', *row))


def softmax_shares(scores, ids):
    """Of the softmax over all experts."""
    shares = softmax(scores)
    return [shares[e] for e in ids]


def sum_shares(scores, ids):
    """The same, made to sum to 1."""
    shares = softmax_shares(scores, ids)
    return [x / sum(shares) for x in shares]


def sigmoid_sum_shares(scores, ids):
    """Sigmoids, made to sum to 1."""
    shares = [sigmoid(scores[e]) for e in ids]
    return [x / sum(shares) for x in shares]


def chosen_shares(scores, ids):
    """The softmax over the chosen ones."""
    return softmax([scores[e] for e in ids])
