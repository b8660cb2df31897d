# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two continuations of one prompt, ours and a peer's: how far they are the same, and how nearly we wrote what it wrote.

Rounding makes two engines part where two tokens are nearly as likely. Where one of them computes something else, they
part where they are not.
"""
import math
import os

N_OTHERS = 64  # as many likely tokens as the service tells of


def text_of(tokens):
    return ''.join(token['text'] for token in tokens)


def common(ours, theirs):
    """Characters that are the same from the start."""
    return len(os.path.commonprefix([ours, theirs]))


def parted(ours, theirs):
    """Whether they go on differently; one that only ends before the other does not."""
    return common(ours, theirs) < min(len(ours), len(theirs))


def gap(tokens, theirs):
    """By how many nats we found what the peer wrote less likely than our own choice, where they part.

    @tokens: ours, with text, logprob and top, which lists others. Infinity: it was not among them. None: not known, as
    the text holds a part of a character. The peer may have cut the text into other tokens, so each counts that the peer's
    text goes on with, up to where they part or further: “mom” beside our “mommy”, too.
    """
    at, start, least = common(text_of(tokens), theirs), 0, math.inf
    for token in tokens:
        if start > at:
            break
        if '\ufffd' in token['text']:
            return None
        for _, text, logprob in token['top']:
            if text not in ('', token['text']) and start + len(text) >= at and theirs.startswith(text, start):
                least = min(least, token['logprob'] - logprob)
        start += len(token['text'])
    return least
