#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small model of each family, and what it makes of some tokens, from the published definitions.

    arch_samples.py FOLDER/archs.list

writes NAME.gguf and NAME.logits into the folder, and the names, one in a line, with "pooled" behind those that give one
row for a text.
"""
import math
import os
import sys

from arch_net import (MXFP4, Net, Rope, add, apply, attention, cap, chosen_shares, clamped, f32, flag, gelu_tanh,
                      gguf_file, heads, layer_row, mul, normed, scaled, sigmoid, sigmoid_sum_shares, silu, softmax,
                      softmax_shares, sum_shares, u32, u32s)

RMS, LAYER = 'attention.layer_norm_rms_epsilon', 'attention.layer_norm_epsilon'
EPS = 1e-5


def prefixes(net):
    return [f'blk.{i}.' for i in range(net.n_layer)]


# ---- llama ----

def llama(net, rope, scales=(1, 1, 1, 0), fused=False, bias=False, tied=False, nope=0, feed=None, pooled=False,
          temperature=None):
    """scales: of embeddings, of what a part adds, of logits, of scores."""
    net.key(RMS, f32(EPS))
    x = net.embed(scales[0])
    for i, p in enumerate(prefixes(net)):
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS), bias, fused)
        if not nope or (i + 1) % nope:
            q, k = rope(q), rope(k)
        y = net.out(p, attention(q, k, v, net.size, scales[3] or None, temperature=temperature), bias)
        x = add(x, scaled(y, scales[1]))
        n = net.rms(p + 'ffn_norm', x, EPS)
        x = add(x, scaled(feed(p, n) if feed else net.glu(p, n), scales[1]))
    x = net.rms('output_norm', x, EPS)
    return x[-1:] if pooled else scaled(net.output(x, tied), scales[2])


def neighbours(net, **more):
    return Rope(net.size, False, **more)


def sample_llama():
    net = Net('llama', 1, 2, 24, 40, 4, 2, 6, 61)
    return net, llama(net, neighbours(net), tied=True)


def sample_llama_yarn():
    net = Net('llama', 2, 2, 32, 40, 4, 1, 16, 47)
    net.key('rope.scaling.type', gguf_file.text('yarn')).key('rope.scaling.factor', f32(4.0))
    net.key('rope.scaling.original_context_length', u32(32)).key('rope.freq_base', f32(500.0))
    return net, llama(net, neighbours(net, base=500.0, factor=4.0, yarn=(32,), magnitude=1 + 0.1 * math.log(4)),
                      bias=True)


def sample_llama_factors():
    net = Net('llama', 3, 2, 24, 40, 3, 1, 8, 33)
    net.key('rope.scaling.type', gguf_file.text('linear')).key('rope.scaling.factor', f32(2.0))
    return net, llama(net, neighbours(net, factors=net.tensor('rope_freqs.weight', 4, mean=2.0), factor=2.0))


def sample_llama_experts():
    net = Net('llama', 4, 2, 24, 20, 4, 4, 6, 35)
    net.key('expert_count', u32(5)).key('expert_used_count', u32(2))
    return net, llama(net, neighbours(net), feed=lambda p, n: net.experts(p, n, 5, 2, 20, sum_shares))


def sample_llama_pooled():
    net = Net('llama', 5, 2, 24, 40, 4, 2, 6, 29)
    net.key('pooling_type', u32(3))
    return net, llama(net, neighbours(net), pooled=True)


def sample_mistral3():
    net = Net('mistral3', 6, 2, 24, 40, 4, 2, 10, 31)
    return net, llama(net, neighbours(net))


def sample_mistral3_temperature():
    net = Net('mistral3', 13, 2, 24, 40, 4, 2, 6, 31)
    net.key('rope.scaling.type', gguf_file.text('yarn')).key('rope.scaling.factor', f32(16.0))
    net.key('rope.scaling.original_context_length', u32(5)).key('rope.scaling.yarn_log_multiplier', f32(1.0))
    net.key('rope.freq_base', f32(1000.0)).key('attention.temperature_scale', f32(0.25))
    return net, llama(net, neighbours(net, base=1000.0, factor=16.0, yarn=(5,)), temperature=(0.25, 5))


def sample_smollm3():
    net = Net('smollm3', 7, 5, 24, 40, 4, 2, 6, 31)
    return net, llama(net, neighbours(net), tied=True, nope=4)


def granite_keys(net):
    net.key('embedding_scale', f32(3.0)).key('residual_scale', f32(0.25)).key('logit_scale', f32(8.0))
    return net.key('attention.scale', f32(0.125))


def sample_granite():
    net = granite_keys(Net('granite', 8, 2, 24, 40, 4, 2, 6, 31))
    return net, llama(net, neighbours(net), scales=(3.0, 0.25, 1 / 8.0, 0.125))


def sample_granite_nope():
    net = Net('granite', 9, 2, 24, 40, 4, 2, 6, 31).key('rope.scaling.finetuned', flag(False))
    return net, llama(net, None, nope=1)


def sample_granitemoe():
    net = granite_keys(Net('granitemoe', 10, 2, 24, 20, 4, 2, 6, 31))
    net.key('expert_count', u32(6)).key('expert_used_count', u32(3))
    net.key('expert_shared_feed_forward_length', u32(28)).key('rope.scaling.finetuned', flag(False))  # has rope

    def feed(p, n):
        return add(net.experts(p, n, 6, 3, 20, sum_shares), net.glu(p, n, suffix='_shexp', n_ff=28))
    return net, llama(net, neighbours(net), scales=(3.0, 0.25, 1 / 8.0, 0.125), feed=feed)


def sample_minicpm():
    net = Net('minicpm', 11, 3, 24, 40, 4, 2, 6, 31)
    return net, llama(net, neighbours(net), scales=(12.0, 1.4 / math.sqrt(3), 256 / 24, 0), tied=True)


def sample_internlm2():
    net = Net('internlm2', 12, 2, 24, 40, 4, 2, 6, 31)
    return net, llama(net, neighbours(net), fused=True)


def sample_ernie4_5():
    net = Net('ernie4_5', 14, 2, 24, 40, 4, 2, 8, 31)
    return net, llama(net, neighbours(net), tied=True)


def sample_ernie4_5_moe():
    net = Net('ernie4_5-moe', 16, 3, 24, 40, 4, 2, 8, 31).key('leading_dense_block_count', u32(1))
    net.key('expert_count', u32(6)).key('expert_used_count', u32(2)).key('expert_feed_forward_length', u32(12))
    net.key('expert_shared_feed_forward_length', u32(20)).key('interleave_moe_layer_step', u32(1))

    def feed(p, n):
        if p == 'blk.0.':
            return net.glu(p, n)
        return add(net.experts(p, n, 6, 2, 12, sum_shares, choice=softmax, choice_bias=True),
                   net.glu(p, n, suffix='_shexp', n_ff=20))
    return net, llama(net, neighbours(net), feed=feed)


def sample_arcee():
    net = Net('arcee', 15, 2, 24, 40, 4, 2, 6, 31)
    return net, llama(net, neighbours(net), feed=lambda p, n: net.mlp(p, n, lambda u: max(u, 0) ** 2, bias=False))


# ---- qwen ----

def qwen(net, norms, feed=None, tied=False, pooled=False, base=10000.0, turned_first=False, second='ffn_norm'):
    net.key(RMS, f32(EPS))
    rope = Rope(net.size, True, base=base)
    x = net.embed()
    for p in prefixes(net):
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS), bias=not norms)
        if turned_first:
            q, k = rope(q), rope(k)
        if norms:
            q, k = net.rms(p + 'attn_q_norm', q, EPS, net.size), net.rms(p + 'attn_k_norm', k, EPS, net.size)
        if not turned_first:
            q, k = rope(q), rope(k)
        x = add(x, net.out(p, attention(q, k, v, net.size)))
        n = net.rms(p + second, x, EPS)
        x = add(x, feed(p, n) if feed else net.glu(p, n))
    x = net.rms('output_norm', x, EPS)
    return x[-1:] if pooled else net.output(x, tied)


def sample_qwen2():
    net = Net('qwen2', 20, 2, 24, 40, 4, 2, 6, 53)
    return net, qwen(net, False, tied=True)


def sample_qwen3():
    net = Net('qwen3', 21, 2, 24, 40, 4, 2, 10, 53)
    return net, qwen(net, True)


def sample_qwen3_pooled():
    net = Net('qwen3', 22, 2, 24, 40, 4, 2, 6, 53).key('pooling_type', u32(3))
    return net, qwen(net, True, pooled=True)


def sample_qwen3_rank():
    net = Net('qwen3', 25, 2, 24, 40, 4, 2, 6, 53).key('pooling_type', u32(4))
    last = qwen(net, True, pooled=True)
    return net, [softmax(net.linear('cls.output', last, 24, 2)[0])[:1]]


def sample_qwen2moe():
    net = Net('qwen2moe', 23, 2, 24, 40, 4, 2, 6, 37)
    net.key('expert_count', u32(6)).key('expert_used_count', u32(3)).key('expert_feed_forward_length', u32(12))
    net.key('expert_shared_feed_forward_length', u32(28))

    def feed(p, n):
        gate = net.tensor(p + 'ffn_gate_inp_shexp.weight', 24)
        shared = net.glu(p, n, suffix='_shexp', n_ff=28)
        shared = [[v * sigmoid(sum(g * w for g, w in zip(gate, x))) for v in row] for row, x in zip(shared, n)]
        return add(net.experts(p, n, 6, 3, 12, softmax_shares), shared)
    return net, qwen(net, False, feed)


def sample_qwen3moe():
    net = Net('qwen3moe', 24, 2, 24, 40, 4, 2, 6, 37)
    net.key('expert_count', u32(8)).key('expert_used_count', u32(2))  # of n_ff / 2 each, as no key says it
    return net, qwen(net, True, lambda p, n: net.experts(p, n, 8, 2, 20, sum_shares))


def sample_seed_oss():
    net = Net('seed_oss', 26, 2, 24, 40, 4, 2, 10, 53)
    return net, qwen(net, False, second='post_attention_norm')


def sample_hunyuan_dense():
    net = Net('hunyuan-dense', 27, 2, 24, 40, 4, 2, 10, 53)
    net.key('rope.freq_base', f32(500.0)).key('rope.scaling.alpha', f32(20.0))
    return net, qwen(net, True, tied=True, base=500.0 * 20.0 ** (10 / 8), turned_first=True)


def sections(net):
    return net.key('rope.dimension_sections', u32s([2, 2, 1, 0]))


def sample_qwen2vl():
    net = sections(Net('qwen2vl', 28, 2, 24, 40, 4, 2, 10, 53))
    return net, qwen(net, False)


def sample_qwen3vl():
    net = sections(Net('qwen3vl', 29, 2, 24, 40, 4, 2, 10, 53).key('n_deepstack_layers', u32(1)))
    return net, qwen(net, True, tied=True)


def sample_qwen3vlmoe():
    net = sections(Net('qwen3vlmoe', 97, 2, 24, 40, 4, 2, 10, 37).key('expert_feed_forward_length', u32(12)))
    net.key('expert_count', u32(8)).key('expert_used_count', u32(2))
    return net, qwen(net, True, lambda p, n: net.experts(p, n, 8, 2, 12, sum_shares))


# ---- gemma ----

def gemma(net, posts, norms, window=None, rope_near=None, scale=None, caps=(0, 0), encoder=False):
    """window (layer): its size, 0 for all."""
    net.key(RMS, f32(EPS))
    rope = Rope(net.size, True, base=50000.0)
    net.key('rope.freq_base', f32(50000.0))
    x = net.embed(math.sqrt(net.n_embd))
    for i, p in enumerate(prefixes(net)):
        w = window(i) if window else 0
        turn = rope_near if w and rope_near else rope
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS))
        if norms:
            q, k = net.rms(p + 'attn_q_norm', q, EPS, net.size), net.rms(p + 'attn_k_norm', k, EPS, net.size)
        y = net.out(p, attention(turn(q), turn(k), v, net.size, scale, not encoder, w, caps[0]))
        x = add(x, net.rms(p + 'post_attention_norm', y, EPS) if posts else y)
        y = net.glu(p, net.rms(p + 'ffn_norm', x, EPS), gelu_tanh)
        x = add(x, net.rms(p + 'post_ffw_norm', y, EPS) if posts else y)
    x = net.rms('output_norm', x, EPS)
    if encoder:
        return x
    x = net.output(x, tied=True)
    return cap(x, caps[1]) if caps[1] else x


def sample_gemma():
    net = Net('gemma', 30, 2, 24, 40, 4, 1, 8, 43)
    return net, gemma(net, False, False)


def sample_gemma2():
    net = Net('gemma2', 31, 3, 24, 40, 4, 2, 8, 43).key('attention.sliding_window', u32(5))
    net.key('attn_logit_softcapping', f32(2.0)).key('final_logit_softcapping', f32(3.0))
    return net, gemma(net, True, False, lambda i: 5 if i % 2 == 0 else 0, caps=(2.0, 3.0))


def sample_gemma3():
    net = Net('gemma3', 32, 7, 24, 32, 4, 2, 8, 43).key('attention.sliding_window', u32(6))
    return net, gemma(net, True, True, lambda i: 6 if i % 6 < 5 else 0, Rope(8, True))


def sample_gemma3_pattern():
    net = Net('gemma3', 33, 3, 24, 32, 4, 2, 8, 43).key('attention.sliding_window', u32(4))
    net.key('attention.sliding_window_pattern', u32s([0, 1, 1])).key('rope.freq_base_swa', f32(700.0))
    net.key('attention.scale', f32(0.2))
    return net, gemma(net, True, True, lambda i: (0, 4, 4)[i], Rope(8, True, base=700.0), single_02())


def sample_gemma_embedding():
    net = Net('gemma-embedding', 34, 7, 24, 32, 4, 2, 8, 43).key('attention.sliding_window', u32(7))
    net.key('pooling_type', u32(1))
    x = mean(gemma(net, True, True, lambda i: 7 if i % 6 < 5 else 0, Rope(8, True), encoder=True))
    return net, net.linear('dense_3', net.linear('dense_2', x, 24, 52), 52, 24)


def single_02():
    return 0.20000000298023224  # 0.2 as a float32


# ---- phi ----

def sample_phi2():
    net = Net('phi2', 40, 2, 32, 40, 4, 4, 8, 41)
    net.key(LAYER, f32(EPS)).key('rope.dimension_count', u32(4))
    rope = Rope(8, True, n_dims=4)
    x = net.embed()
    for p in prefixes(net):
        n = net.layer_norm(p + 'attn_norm', x, EPS)
        q, k, v = net.qkv(p, n, bias=True)
        x = add(add(x, net.out(p, attention(rope(q), rope(k), v, 8), True)), net.mlp(p, n, gelu_tanh))
    return net, net.output(net.layer_norm('output_norm', x, EPS), bias=True)


def phi3(net, rope, window=0):
    net.key(RMS, f32(EPS))
    x = net.embed()
    for p in prefixes(net):
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS), fused=True)
        x = add(x, net.out(p, attention(rope(q), rope(k), v, net.size, window=window)))
        both = net.linear(p + 'ffn_up', net.rms(p + 'ffn_norm', x, EPS), net.n_embd, 2 * net.n_ff)
        hidden = [[silu(g) * u for g, u in zip(row[:net.n_ff], row[net.n_ff:])] for row in both]
        x = add(x, net.linear(p + 'ffn_down', hidden, net.n_ff, net.n_embd))
    return net.output(net.rms('output_norm', x, EPS))


def long_rope(net, original, which):
    net.key('rope.scaling.original_context_length', u32(original)).key('rope.scaling.attn_factor', f32(1.25))
    net.key('rope.scaling.type', gguf_file.text('longrope'))
    factors = {name: net.tensor(f'rope_factors_{name}.weight', 4, mean=3.0) for name in ('short', 'long')}
    return Rope(8, True, factors=factors[which], magnitude=1.25)


def sample_phi3_short():
    net = Net('phi3', 41, 2, 32, 40, 4, 2, 8, 41, n_ctx=1024)
    return net, phi3(net, long_rope(net, 256, 'short'))


def sample_phi3_long():
    net = Net('phi3', 42, 2, 32, 40, 4, 2, 8, 41, n_ctx=1024)
    return net, phi3(net, long_rope(net, 128, 'long'))


def sample_phi3_window():
    net = Net('phi3', 43, 2, 32, 40, 4, 2, 8, 41).key('attention.sliding_window', u32(7))
    return net, phi3(net, Rope(8, True), 7)


def sample_phimoe():
    net = Net('phimoe', 44, 2, 32, 20, 4, 2, 8, 41).key(RMS, f32(EPS))
    net.key('expert_count', u32(6)).key('expert_used_count', u32(2))
    rope = Rope(8, True)
    x = net.embed()
    for p in prefixes(net):
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS, bias=True), bias=True)
        x = add(x, net.out(p, attention(rope(q), rope(k), v, 8), True))
        x = add(x, net.experts(p, net.rms(p + 'ffn_norm', x, EPS, bias=True), 6, 2, 20, sum_shares))
    return net, net.output(net.rms('output_norm', x, EPS, bias=True), bias=True)


# ---- gpt-oss ----

def oai_unit(gate, up):
    gate, up = min(gate, 7.0), min(max(up, -7.0), 7.0)
    return gate * sigmoid(1.702 * gate) * (up + 1)


def sample_gpt_oss():
    net = Net('gpt-oss', 50, 3, 32, 64, 4, 2, 16, 45)
    net.key(RMS, f32(EPS)).key('attention.sliding_window', u32(6)).key('rope.freq_base', f32(150.0))
    net.key('expert_count', u32(4)).key('expert_used_count', u32(2)).key('expert_feed_forward_length', u32(64))
    net.key('rope.scaling.type', gguf_file.text('yarn')).key('rope.scaling.factor', f32(32.0))
    net.key('rope.scaling.original_context_length', u32(16))
    rope = Rope(16, True, base=150.0, factor=32.0, yarn=(16,), magnitude=1 + 0.1 * math.log(32))
    x = net.embed()
    for i, p in enumerate(prefixes(net)):
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS), bias=True)
        sinks = net.tensor(p + 'attn_sinks.weight', 4, mean=1.0)
        y = attention(rope(q), rope(k), v, 16, window=6 if i % 2 == 0 else 0, sinks=sinks)
        x = add(x, net.out(p, y, True))
        n = net.rms(p + 'post_attention_norm', x, EPS)
        x = add(x, net.experts(p, n, 4, 2, 64, chosen_shares, MXFP4, True, oai_unit))
    return net, net.output(net.rms('output_norm', x, EPS))


# ---- olmo ----

def sample_olmo():
    net = Net('olmo', 60, 2, 24, 40, 4, 2, 6, 39).key(LAYER, f32(EPS)).key('attention.clamp_kqv', f32(0.75))
    rope = Rope(6, False)
    x = net.embed()
    for p in prefixes(net):
        q, k, v = (clamped(a, 0.75) for a in net.qkv(p, normed(x, layer_row, EPS)))
        x = add(x, net.out(p, attention(rope(q), rope(k), v, 6)))
        x = add(x, net.glu(p, normed(x, layer_row, EPS)))
    return net, net.output(normed(x, layer_row, EPS), tied=True)


def olmo2(net, rope_far, rope_near, window):
    net.key(RMS, f32(EPS))
    x = net.embed()
    for i, p in enumerate(prefixes(net)):
        turn = rope_near if window(i) else rope_far
        q, k, v = net.qkv(p, x)
        q, k = turn(net.rms(p + 'attn_q_norm', q, EPS)), turn(net.rms(p + 'attn_k_norm', k, EPS))
        y = net.out(p, attention(q, k, v, net.size, window=window(i)))
        x = add(x, net.rms(p + 'post_attention_norm', y, EPS))
        x = add(x, net.rms(p + 'post_ffw_norm', net.glu(p, x), EPS))
    return net.output(net.rms('output_norm', x, EPS))


def sample_olmo2():
    net = Net('olmo2', 61, 2, 24, 40, 4, 2, 6, 39)
    return net, olmo2(net, Rope(6, True), None, lambda i: 0)


def sample_olmo3():
    net = Net('olmo2', 62, 5, 24, 40, 4, 4, 6, 39).key('attention.sliding_window', u32(5))
    net.key('rope.scaling.type', gguf_file.text('yarn')).key('rope.scaling.factor', f32(8.0))
    net.key('rope.scaling.original_context_length', u32(16)).key('rope.freq_base', f32(100.0))
    far = Rope(6, True, base=100.0, factor=8.0, yarn=(16,), magnitude=1 + 0.1 * math.log(8))
    return net, olmo2(net, far, Rope(6, True, base=100.0), lambda i: 5 if i % 4 < 3 else 0)


def sample_olmoe():
    net = Net('olmoe', 63, 2, 24, 16, 4, 4, 6, 39).key(RMS, f32(EPS))
    net.key('expert_count', u32(8)).key('expert_used_count', u32(3))
    rope = Rope(6, True)
    x = net.embed()
    for p in prefixes(net):
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS))
        q, k = rope(net.rms(p + 'attn_q_norm', q, EPS)), rope(net.rms(p + 'attn_k_norm', k, EPS))
        x = add(x, net.out(p, attention(q, k, v, 6)))
        x = add(x, net.experts(p, net.rms(p + 'ffn_norm', x, EPS), 8, 3, 16, softmax_shares))
    return net, net.output(net.rms('output_norm', x, EPS))


# ---- stablelm, command-r ----

def head_norms(net, p, q, k):
    """Each head has a gain of its own."""
    return [normed(a, layer_row, EPS, net.gain(f'{p}attn_{name}_norm.weight', net.size, n), size=net.size)
            for name, a, n in (('q', q, net.n_head), ('k', k, net.n_kv))]


def stablelm(net, is_large):
    net.key(LAYER, f32(EPS)).key('rope.dimension_count', u32(2))
    rope = Rope(net.size, True, n_dims=2)
    x = net.embed()
    for p in prefixes(net):
        n = net.layer_norm(p + 'attn_norm', x, EPS)
        q, k, v = net.qkv(p, n, bias=not is_large)
        if is_large:
            q, k = head_norms(net, p, q, k)
        x = add(x, net.out(p, attention(rope(q), rope(k), v, net.size)))
        x = add(x, net.glu(p, n if is_large else net.layer_norm(p + 'ffn_norm', x, EPS)))
    return net.output(net.layer_norm('output_norm', x, EPS))


def sample_stablelm():
    net = Net('stablelm', 70, 2, 24, 40, 3, 3, 8, 57)
    return net, stablelm(net, False)


def sample_stablelm_large():
    net = Net('stablelm', 71, 2, 24, 40, 4, 2, 6, 57)
    return net, stablelm(net, True)


def command_r(net, is_plus, window=None):
    """window (layer): its size; a layer without one has no rope, where there are any."""
    net.key(LAYER, f32(EPS)).key('logit_scale', f32(0.0625))
    rope = Rope(net.size, False)
    x = net.embed()
    for i, p in enumerate(prefixes(net)):
        n = net.layer_norm(p + 'attn_norm', x, EPS, bias=False)
        q, k, v = net.qkv(p, n)
        if is_plus:
            q, k = head_norms(net, p, q, k)
        w = window(i) if window else 0
        if w or not window:
            q, k = rope(q), rope(k)
        x = add(add(x, net.out(p, attention(q, k, v, net.size, window=w))), net.glu(p, n))
    return scaled(net.output(net.layer_norm('output_norm', x, EPS, bias=False), tied=True), 0.0625)


def sample_command_r():
    net = Net('command-r', 72, 2, 24, 40, 4, 2, 6, 55)
    return net, command_r(net, False)


def sample_command_r_plus():
    net = Net('command-r', 73, 2, 24, 40, 4, 2, 6, 55)
    return net, command_r(net, True)


def sample_cohere2():
    net = Net('cohere2', 75, 5, 24, 40, 4, 2, 6, 55).key('attention.sliding_window', u32(5))
    return net, command_r(net, False, lambda i: 5 if i % 4 < 3 else 0)


def sample_cohere2_pattern():
    net = Net('cohere2', 79, 3, 24, 40, 4, 4, 6, 55).key('attention.sliding_window', u32(4))
    net.key('attention.sliding_window_pattern', u32(2)).key('rope.freq_base', f32(10000.0))
    return net, command_r(net, False, lambda i: 4 if i % 2 == 0 else 0)


# ---- glm4, exaone ----

def guessing(net):
    """A layer behind the last one guesses further tokens, and has no part in this."""
    net.key('block_count', u32(net.n_layer + 1)).key('nextn_predict_layers', u32(1))


def sample_glm4():
    net = Net('glm4', 64, 2, 24, 40, 4, 2, 8, 37).key(RMS, f32(EPS)).key('rope.dimension_count', u32(4))
    guessing(net)
    rope = Rope(8, False, n_dims=4)
    x = net.embed()
    for p in prefixes(net):
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS), bias=True)
        y = net.out(p, attention(rope(q), rope(k), v, 8))
        x = add(x, net.rms(p + 'post_attention_norm', y, EPS))
        both = net.linear(p + 'ffn_up', net.rms(p + 'ffn_norm', x, EPS), 24, 80)
        hidden = [[silu(g) * u for g, u in zip(row[:40], row[40:])] for row in both]
        x = add(x, net.rms(p + 'post_ffw_norm', net.linear(p + 'ffn_down', hidden, 40, 24), EPS))
    return net, net.output(net.rms('output_norm', x, EPS))


def sample_exaone():
    net = Net('exaone', 65, 2, 24, 40, 4, 2, 6, 37)
    return net, llama(net, Rope(6, True, factors=net.tensor('rope_freqs.weight', 3, mean=2.0)))


def exaone4(net, window):
    net.key(RMS, f32(EPS))
    rope = Rope(net.size, True)
    x = net.embed()
    for i, p in enumerate(prefixes(net)):
        q, k, v = net.qkv(p, x)
        q, k = net.rms(p + 'attn_q_norm', q, EPS, net.size), net.rms(p + 'attn_k_norm', k, EPS, net.size)
        w = window(i) if window else 0
        if w or not window:
            q, k = rope(q), rope(k)
        y = net.out(p, attention(q, k, v, net.size, window=w))
        for part in ('post_attention_norm', 'post_ffw_norm'):  # so that many layers do not drown the first ones
            net.tensor(p + part + '.weight', net.n_embd, mean=1 / net.n_layer, deviation=0.3 / net.n_layer)
        x = add(x, net.rms(p + 'post_attention_norm', y, EPS))
        x = add(x, net.rms(p + 'post_ffw_norm', net.glu(p, x), EPS))
    return net.output(net.rms('output_norm', x, EPS), tied=True)


def sample_exaone4():
    net = Net('exaone4', 66, 2, 24, 40, 4, 2, 6, 37)
    guessing(net)
    return net, exaone4(net, None)


def sample_exaone4_windows():
    net = Net('exaone4', 67, 64, 8, 12, 2, 1, 4, 37).key('attention.sliding_window', u32(5))
    return net, exaone4(net, lambda i: 5 if i % 4 < 3 else 0)


# ---- smallthinker ----

def smallthinker(net, shares, window=None):
    net.key(RMS, f32(EPS)).key('expert_feed_forward_length', u32(12))
    net.key('expert_count', u32(6)).key('expert_used_count', u32(2))
    rope = Rope(net.size, True)
    x = net.embed()
    for i, p in enumerate(prefixes(net)):
        came = x
        q, k, v = net.qkv(p, net.rms(p + 'attn_norm', x, EPS))
        w = window(i) if window else 0
        if w or not window:
            q, k = rope(q), rope(k)
        x = add(x, net.out(p, attention(q, k, v, net.size, window=w)))
        x = add(x, net.experts(p, net.rms(p + 'ffn_norm', x, EPS), 6, 2, 12, shares, routed=came,
                               unit=lambda gate, up: max(gate, 0) * up))
    return net.output(net.rms('output_norm', x, EPS), tied=True)


def sample_smallthinker():
    net = Net('smallthinker', 68, 2, 24, 40, 4, 2, 6, 37)
    return net, smallthinker(net, sigmoid_sum_shares)


def sample_smallthinker_windows():
    net = Net('smallthinker', 69, 5, 24, 40, 4, 2, 6, 37).key('attention.sliding_window', u32(5))
    net.key('expert_gating_func', u32(1))
    return net, smallthinker(net, sum_shares, lambda i: 5 if i % 4 else 0)


# ---- nemotron ----

def sample_nemotron():
    net = Net('nemotron', 74, 2, 32, 40, 4, 2, 8, 63).key(LAYER, f32(EPS)).key('rope.dimension_count', u32(4))
    rope = Rope(8, True, n_dims=4)
    x = net.embed()
    for p in prefixes(net):
        q, k, v = net.qkv(p, net.layer_norm(p + 'attn_norm', x, EPS))
        x = add(x, net.out(p, attention(rope(q), rope(k), v, 8)))
        x = add(x, net.mlp(p, net.layer_norm(p + 'ffn_norm', x, EPS), lambda u: max(u, 0) ** 2, bias=False))
    return net, net.output(net.layer_norm('output_norm', x, EPS))


# ---- gptneox ----

def gptneox(net, is_parallel):
    net.key(LAYER, f32(EPS)).key('rope.dimension_count', u32(4)).key('rope.freq_base', f32(5000.0))
    rope = Rope(net.size, True, n_dims=4, base=5000.0)
    x = net.embed()
    for p in prefixes(net):
        q, k, v = net.qkv(p, net.layer_norm(p + 'attn_norm', x, EPS), bias=True, fused=True)
        y = add(x, net.out(p, attention(rope(q), rope(k), v, net.size), True))
        n = net.layer_norm(p + 'ffn_norm', x if is_parallel else y, EPS)
        x = add(y, net.mlp(p, n, gelu_tanh))
    return net.output(net.layer_norm('output_norm', x, EPS))


def sample_gptneox():
    net = Net('gptneox', 76, 2, 30, 44, 3, 3, 10, 59).key('use_parallel_residual', flag(True))
    return net, gptneox(net, True)


def sample_gptneox_default():
    net = Net('gptneox', 77, 2, 30, 44, 3, 3, 10, 59)  # no key says it
    return net, gptneox(net, True)


def sample_gptneox_sequential():
    net = Net('gptneox', 78, 2, 30, 44, 3, 3, 10, 59).key('use_parallel_residual', flag(False))
    return net, gptneox(net, False)


# ---- gpt2 ----

def gpt2(net, rope, fused, tied):
    net.key(LAYER, f32(EPS))
    x = net.embed()
    if rope is None:
        positions = net.rows('position_embd.weight', net.n_embd, net.n_ctx, deviation=0.5)
        x = add(x, positions)
    for p in prefixes(net):
        q, k, v = net.qkv(p, net.layer_norm(p + 'attn_norm', x, EPS), True, fused)
        if rope:
            q, k = rope(q), rope(k)
        x = add(x, net.out(p, attention(q, k, v, net.size), True))
        x = add(x, net.mlp(p, net.layer_norm(p + 'ffn_norm', x, EPS), gelu_tanh))
    return net.output(net.layer_norm('output_norm', x, EPS), tied)


def sample_gpt2():
    net = Net('gpt2', 80, 2, 24, 40, 4, 4, 6, 51)
    return net, gpt2(net, None, True, True)


def sample_starcoder():
    net = Net('starcoder', 81, 2, 24, 40, 4, 1, 6, 51)
    return net, gpt2(net, None, True, False)


def sample_starcoder2():
    net = Net('starcoder2', 82, 2, 24, 40, 4, 2, 6, 51)
    return net, gpt2(net, Rope(6, True), False, False)


# ---- lfm2 ----

def convolved(a, taps, width):
    """Each channel with its own taps, the newest row's last; nothing stands before the first row."""
    return [[sum(taps[c * width + j] * a[t - width + 1 + j][c] for j in range(width) if t - width + 1 + j >= 0)
             for c in range(len(a[0]))] for t in range(len(a))]


def lfm2(net, kinds, window=0, n_dense=99):
    """kinds: heads of keys and values in each layer; 0: a convolution."""
    net.key(RMS, f32(EPS))
    net.key('attention.head_count_kv', u32s(kinds)).key('shortconv.l_cache', u32(3))
    rope = Rope(6, True)
    x = net.embed()
    for i, (kind, p) in enumerate(zip(kinds, prefixes(net))):
        n = net.rms(p + 'attn_norm', x, EPS)
        if kind:
            q, k, v = net.qkv(p, n)
            q, k = rope(net.rms(p + 'attn_q_norm', q, EPS, 6)), rope(net.rms(p + 'attn_k_norm', k, EPS, 6))
            y = net.out(p, attention(q, k, v, 6, window=window))
        else:
            b, c, z = zip(*(heads(row, 24) for row in net.linear(p + 'shortconv.in_proj', n, 24, 72)))
            y = convolved(mul(b, z), net.tensor(p + 'shortconv.conv.weight', 3, 24, deviation=0.5), 3)
            y = net.linear(p + 'shortconv.out_proj', mul(c, y), 24, 24)
        x = add(x, y)
        n = net.rms(p + 'ffn_norm', x, EPS)
        if i < n_dense:
            x = add(x, net.glu(p, n))
        else:
            x = add(x, net.experts(p, n, 6, 2, 12, sigmoid_sum_shares, choice=lambda s: [sigmoid(v) for v in s],
                                   choice_bias=True))
    return net.output(net.rms('token_embd_norm', x, EPS), tied=True)


def sample_lfm2():
    net = Net('lfm2', 94, 5, 24, 40, 4, 2, 6, 59, n_ctx=256, n_tokens=140)
    return net, lfm2(net, [0, 2, 0, 0, 2])


def sample_lfm2_window():
    net = Net('lfm2', 95, 3, 24, 40, 4, 4, 6, 59).key('attention.sliding_window', u32(5))
    net.key('attention.head_count', u32s([4, 0, 4]))
    return net, lfm2(net, [4, 0, 4], 5)


def sample_lfm2moe():
    net = Net('lfm2moe', 96, 4, 24, 40, 4, 2, 6, 59).key('expert_count', u32(6)).key('expert_used_count', u32(2))
    net.key('expert_feed_forward_length', u32(12)).key('leading_dense_block_count', u32(1))
    net.key('expert_gating_func', u32(2))
    return net, lfm2(net, [0, 2, 0, 2], n_dense=1)


# ---- bert ----

def bert(net, pooling, feed=None):
    """Rows of all tokens."""
    nomic, gate = net.arch != 'bert', net.arch == 'nomic-bert'
    net.key(LAYER, f32(EPS)).key('attention.causal', flag(False)).key('pooling_type', u32(pooling))
    x = net.embed()
    if not nomic:
        x = add(x, net.rows('position_embd.weight', net.n_embd, net.n_ctx, deviation=0.5))
    types = net.rows('token_types.weight', net.n_embd, 2)
    x = net.layer_norm('token_embd_norm', [[a + b for a, b in zip(row, types[0])] for row in x], EPS)
    rope = Rope(net.size, True, base=1000.0)
    if nomic:
        net.key('rope.freq_base', f32(1000.0))
    for p in prefixes(net):
        q, k, v = net.qkv(p, x, bias=not gate, fused=gate)
        if nomic:
            q, k = rope(q), rope(k)
        y = net.out(p, attention(q, k, v, net.size, causal=False), not gate)
        x = net.layer_norm(p + 'attn_output_norm', add(x, y), EPS)
        y = net.glu(p, x) if gate else feed(p, x) if feed and p == 'blk.1.' else net.mlp(p, x, gelu_tanh)
        x = net.layer_norm(p + 'layer_output_norm', add(x, y), EPS)
    return x


def mean(x):
    return [[sum(column) / len(x) for column in zip(*x)]]


def sample_bert():
    net = Net('bert', 90, 2, 24, 40, 4, 4, 6, 49)
    return net, mean(bert(net, 1))


def sample_bert_first():
    net = Net('bert', 91, 2, 24, 40, 4, 4, 6, 49)
    return net, bert(net, 2)[:1]


def sample_bert_rank():
    net = Net('bert', 92, 2, 24, 40, 4, 4, 6, 49)
    dense = net.linear('cls', bert(net, 4)[:1], 24, 24, True)
    return net, net.linear('cls.output', apply(math.tanh, dense), 24, 1, True)


def sample_nomic_bert():
    net = Net('nomic-bert', 93, 2, 24, 40, 4, 4, 6, 49)
    return net, mean(bert(net, 1))


def sample_nomic_bert_moe():
    net = Net('nomic-bert-moe', 98, 3, 24, 40, 4, 4, 6, 49).key('moe_every_n_layers', u32(2))
    net.key('expert_count', u32(6)).key('expert_used_count', u32(2))
    return net, mean(bert(net, 1, lambda p, n: net.experts(p, n, 6, 2, 40, softmax_shares, gated=False,
                                                           unit=lambda up, _: gelu_tanh(up))))


def main():
    folder = os.path.dirname(os.path.abspath(sys.argv[1]))
    lines = []
    for name, make in sorted(globals().items()):
        if name.startswith('sample_'):
            net, result = make()
            stem = name[len('sample_'):].replace('_', '-')
            net.write(os.path.join(folder, stem), result)
            lines.append(stem + (' pooled' if len(result) == 1 else '') + '\n')
    with open(sys.argv[1], 'w', encoding='utf-8') as file:
        file.writelines(lines)


if __name__ == '__main__':
    main()
