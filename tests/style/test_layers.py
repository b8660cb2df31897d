#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Layers only point down: which folder may include what of which folder."""
import os
import re

import source
import woolly_tap

# folder -> folders whose headers it may include, beside its own
LAYERS = {
    'introspection': [],
    'plugins/abi': [],
    'plugins/quant': ['plugins/abi'],
    'plugins/arch': ['plugins/abi', 'plugins/quant'],
    'plugins/backend': ['plugins/abi', 'plugins/quant'],
    'plugins/template': ['plugins/abi', 'plugins/quant'],
    'daemon/util': ['introspection', 'plugins/abi'],
    'daemon/rpc': ['daemon/util', 'introspection'],
    'daemon/engine': ['daemon/util', 'introspection', 'plugins/abi', 'plugins/quant'],
    'daemon/host': ['daemon/util', 'introspection', 'plugins/abi'],
    'daemon/worker': ['daemon/engine', 'daemon/host', 'daemon/rpc', 'daemon/util', 'introspection', 'plugins/abi'],
    'daemon/model': ['daemon/rpc', 'daemon/util', 'introspection'],
    'daemon/sched': ['daemon/model', 'daemon/rpc', 'daemon/util', 'introspection'],
    'daemon/bus': ['daemon/sched', 'daemon/model', 'daemon/rpc', 'daemon/util', 'introspection'],
    'client/libwoolly': ['introspection'],
    'client/woollyctl': ['client/libwoolly', 'introspection'],
    'daemon/bench': ['daemon/engine', 'daemon/host', 'daemon/util', 'introspection', 'plugins/abi', 'plugins/quant'],
}
# One plugin does not see another, nor one architecture the next.
APART = ('plugins/arch', 'plugins/backend')
# Of the engine: core GLib only. Of plugins: no GLib at all.
NO_OBJECTS = re.compile(r'<(gio/|glib-object\.h|gmodule\.h|json-glib/)')
NO_GLIB = re.compile(r'<(gio/|glib|gmodule|gobject|json-glib/)')
INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")')


def layer_of(path):
    """The longest folder of LAYERS that a file lies in; None outside of them."""
    found = [folder for folder in LAYERS if path.startswith(folder + '/')]
    return max(found, key=len) if found else None


def team_of(path):
    """plugins/arch/llama of a file in it: the folder that stands for itself."""
    for folder in APART:
        if path.startswith(folder + '/'):
            return '/'.join(path.split('/')[:3])
    return layer_of(path)


def includes(path):
    for number, line in enumerate(source.read(path).split('\n'), 1):
        match = INCLUDE.match(line)
        if match is not None:
            yield number, match.group(1)


class Layers(source.StyleCase):

    def setUp(self):
        super().setUp()
        self.headers = source.files('.h', '.def')

    def resolve(self, path, name):
        """The file of the tree that "name" stands for; None for a generated or a system's one."""
        beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if beside in self.headers:
            return beside
        found = [header for header in self.headers if header == name or header.endswith('/' + name)]
        found = [header for header in found if layer_of(header) is not None]
        same = [header for header in found if team_of(header) == team_of(path)]
        # Two folders may use one name, each for its own include path: then the one that may be seen is meant.
        seen = [header for header in found if layer_of(header) in LAYERS[layer_of(path)]]
        return (same or seen or found or [None])[0]

    def test_direction(self):
        paths = [path for path in source.files('.c', '.h', '.def') if layer_of(path) is not None]
        for path in paths:
            allowed = LAYERS[layer_of(path)]
            for number, name in includes(path):
                if name.startswith('<'):
                    continue
                target = self.resolve(path, name.strip('"'))
                if target is None or team_of(target) == team_of(path):
                    continue
                if layer_of(target) not in allowed:
                    self.find(path, number, f'{layer_of(path)} may not see {target}')
        self.report(len(paths))

    def test_every_folder_has_its_layer(self):
        paths = [path for path in source.files('.c', '.h') if path.startswith(('daemon/', 'plugins/', 'client/'))]
        for path in paths:
            if layer_of(path) is None and path != 'daemon/main.c':
                self.find(path, 1, 'the folder has no row in LAYERS of tests/style/test_layers.py')
        self.report(len(paths))

    def reach(self, path):
        """All headers that a file reads, through others, with where the last one stands."""
        waiting, seen = [path], set()
        while waiting:
            here = waiting.pop()
            for number, name in includes(here):
                if name.startswith('<'):
                    yield here, number, name
                    continue
                target = self.resolve(here, name.strip('"'))
                if target is not None and target not in seen:
                    seen.add(target)
                    waiting.append(target)

    def test_engine_uses_core_glib_only(self):
        paths = source.files('.c', '.h', under='daemon/engine/')
        for path in paths:
            for where, number, name in self.reach(path):
                if NO_OBJECTS.match(name):
                    self.find(where, number, f'{path} reads {name}: the engine uses core GLib only')
        self.report(len(paths))

    def test_plugins_use_no_glib(self):
        paths = source.files('.c', '.h', under='plugins/')
        for path in paths:
            for where, number, name in self.reach(path):
                if NO_GLIB.match(name):
                    self.find(where, number, f'{path} reads {name}: a plugin needs the C library and the ABI only')
        self.report(len(paths))


if __name__ == '__main__':
    woolly_tap.main()
