#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""C functions: length, nesting, names, goto, and calls that are never made."""
import os
import re

import source
import woolly_tap

LONGEST_FUNCTION = 120
DEEPEST_NESTING = 4
BANNED = {
    'sprintf': 'g_snprintf or g_strdup_printf', 'vsprintf': 'g_vsnprintf', 'strcpy': 'g_strlcpy',
    'strcat': 'GString', 'strncpy': 'g_strlcpy', 'strncat': 'GString', 'gets': 'getline', 'system': 'g_spawn_…',
    'popen': 'g_spawn_…', 'alloca': 'g_new', 'g_alloca': 'g_new', 'g_newa': 'g_new', 'atoi': 'g_ascii_string_to_signed',
    'atol': 'g_ascii_string_to_signed', 'atoll': 'g_ascii_string_to_signed', 'atof': 'g_ascii_strtod',
    'strtod': 'g_ascii_strtod', 'strtof': 'g_ascii_strtod', 'strtok': 'g_strsplit', 'strtok_r': 'g_strsplit',
    'tmpnam': 'g_file_open_tmp', 'mktemp': 'g_file_open_tmp', 'rand': 'the counter-based generator',
    'srand': 'the counter-based generator', 'random': 'the counter-based generator', 'setjmp': 'an error code',
    'longjmp': 'an error code', 'g_regex_new': 'a linear scanner: GRegex backtracks without a limit',
    'g_regex_match_simple': 'a linear scanner', 'g_regex_split_simple': 'a linear scanner',
}
CUT = re.compile(r'%\.[0-9]{2,}s')
# The prefix is a promise: whose name it is, and who may call it.
PREFIXES = (
    ('daemon/', 'wly_'),
    ('plugins/abi/', 'wlp_'),
    ('plugins/quant/', 'wlq_'),
    ('client/libwoolly/', 'woolly_'),
)
# The whole folder is one noun: its prefix is enough.
ONE_NOUN = ('plugins/abi/', 'plugins/quant/')
# Where only the stem of the file counts.
OWN_STEM = ('plugins/arch/', 'plugins/backend/', 'client/woollyctl/', 'daemon/bench/')


def sources():
    return source.files('.c', '.h')


def shipped():
    return [path for path in source.files('.c') if path.startswith(('daemon/', 'plugins/', 'client/'))]


def stem_words(path, prefix):
    """Words that the names of a file's functions begin with; wly-error.c and gguf-reader.c alike."""
    stem = re.sub(r'\W', '_', os.path.splitext(os.path.basename(path))[0])
    if prefix and (stem + '_').startswith(prefix):
        stem = stem[len(prefix):]
    return [word for word in stem.split('_') if word]


def expected_prefixes(path):
    """The longest name that fits, then shorter ones: a noun's second file may keep the noun's name."""
    owned = [] if path.startswith(OWN_STEM) else PREFIXES
    prefix = next((value for folder, value in owned if path.startswith(folder)), '')
    words = [] if path.startswith(ONE_NOUN) else stem_words(path, prefix)
    return [prefix + '_'.join(words[:n]) for n in range(len(words), 0, -1)] or [prefix.rstrip('_')]


class Functions(source.StyleCase):

    def test_length(self):
        paths = sources()
        for path in paths:
            for function in source.functions(path):
                if function.n_lines() > LONGEST_FUNCTION:
                    self.find(path, function.line,
                              f'{function.name}() has {function.n_lines()} lines; at most {LONGEST_FUNCTION}')
        self.report(len(paths))

    def test_nesting(self):
        paths = sources()
        for path in paths:
            for function in source.functions(path):
                depth = source.deepest_nesting(function)
                if depth > DEEPEST_NESTING:
                    self.find(path, function.line, f'{function.name}() is {depth} levels deep; at most {DEEPEST_NESTING}')
        self.report(len(paths))

    def test_names_tell_whose_they_are(self):
        paths = [path for path in shipped() if path.startswith(OWN_STEM + tuple(folder for folder, _ in PREFIXES))]
        for path in paths:
            prefixes = expected_prefixes(path)
            for function in source.functions(path):
                if function.static or function.name == 'main' or function.name.startswith('wlp_plugin'):
                    continue
                name = function.name.lstrip('_')
                if not any(name == prefix or name.startswith(prefix + '_') for prefix in prefixes):
                    self.find(path, function.head, f'{function.name}() is in the wrong file, or not named after it '
                                                   f'({prefixes[0]}_…)')
        self.report(len(paths) + 1)

    def test_labels(self):
        paths = sources()
        for path in paths:
            for function in source.functions(path):
                self.check_labels(path, function)
        self.report(len(paths))

    def check_labels(self, path, function):
        labels, jumps = {}, []
        tokens = list(function.tokens())
        for (before, _), (token, line), (after, _) in zip(tokens, tokens[1:], tokens[2:]):
            if before == 'goto':
                jumps.append((token, line))
            elif after == ':' and before in ';}{' and source.IDENTIFIER.fullmatch(token) and token != 'default':
                labels[token] = line
        if len(labels) > 1:
            self.find(path, function.line, f'{function.name}() has {len(labels)} labels; one, for cleaning up')
        for name, line in jumps:
            if labels.get(name, 0) < line:
                self.find(path, line, f'goto {name} jumps back')

    def test_calls_that_are_never_made(self):
        paths = sources()
        for path in paths:
            lines = source.read(path).split('\n')
            for number, line in enumerate(source.strip_comments('\n'.join(lines)).split('\n'), 1):
                for match in re.finditer(r'(?<![\w>.])([a-z_]+) ?\(', line):
                    if match.group(1) in BANNED:
                        self.find(path, number, f'{match.group(1)}(): use {BANNED[match.group(1)]}', lines)
        self.report(len(paths))

    def test_texts_are_cut_between_characters(self):
        """Half a character makes a message that is no text, which the bus refuses."""
        paths = shipped()
        for path in paths:
            lines = source.read(path).split('\n')
            for number, line in enumerate(lines, 1):
                if CUT.search(line):
                    self.find(path, number, 'cuts a text at a byte: use %.*s with wly_utf8_shown()', lines)
        self.report(len(paths))


class Parser(source.StyleCase):
    """The checks above are only as good as what takes the functions apart."""

    def function(self, *body):
        return source.Function('f', False, 1, 2, ['{'] + list(body) + ['}'])

    def test_nesting_is_counted(self):
        for depth, body in (
                (0, ['a ();']),
                (1, ['if (a)', '  b ();', 'else', '  c ();']),
                (1, ['if (a) {', '} else if (b) {', '} else {', '}']),
                (2, ['for (;;)', '  if (a)', '    b ();', 'c ();']),
                (2, ['do {', '  if (a)', '    b ();', '} while (c);', 'd ();']),
                (1, ['do {', '} while (c);', 'if (a)', '  b ();']),
                (3, ['while (a) {', '  switch (b) {', '  case 1:', '    if (c)', '      d ();', '  }', '}']),
                (1, ['struct s x = { .a = { 1, 2 } };', 'if (x)', '  y ();']),
                (5, ['if (a)', ' if (b)', '  if (c)', '   if (d)', '    if (e)', '     f ();'])):
            with self.subTest(body=body):
                self.assertEqual(source.deepest_nesting(self.function(*body)), depth)

    def test_functions_are_found(self):
        path = 'daemon/util/wly-error.c'
        found = {function.name: function for function in source.functions(path)}
        self.assertIn('wly_error_from_errno', found)
        self.assertFalse(found['wly_error_from_errno'].static)
        self.assertGreater(found['wly_error_from_errno'].n_lines(), 5)

    def test_comments_are_left_out(self):
        text = 'a /* strcpy (\n) */ "strcpy (" // sprintf (\nb'
        self.assertEqual(source.strip_comments(text).split(), ['a', '"', '"', 'b'])
        self.assertEqual(source.strip_comments(text).count('\n'), 2)

    def test_expected_names(self):
        self.assertEqual(expected_prefixes('daemon/util/wly-error.c')[0], 'wly_error')
        self.assertEqual(expected_prefixes('daemon/engine/gguf/gguf-reader.c')[0], 'wly_gguf_reader')
        self.assertEqual(expected_prefixes('plugins/arch/llama/llama-program.c')[0], 'llama_program')
        self.assertEqual(expected_prefixes('client/libwoolly/woolly-model.c')[0], 'woolly_model')


if __name__ == '__main__':
    woolly_tap.main()
