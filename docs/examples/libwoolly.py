#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same through libwoolly's typelib."""
import sys

import gi
gi.require_version('Woolly', '1.0')
from gi.repository import GLib, Woolly

client = Woolly.Client.new(None, Woolly.ClientFlags.NONE, None)
for model in client.get_models():
    print(model.get_id(), model.get_state(), file=sys.stderr)

session = client.open_session('', None, None)  # the empty name is the default model
options = GLib.Variant('a{sv}', {'temperature': GLib.Variant('d', 0), 'max-tokens': GLib.Variant('u', 40)})
generation = session.generate(Woolly.Input.new_for_message('user', sys.argv[1]), options, None)
stream = generation.get_stream()
while (event := stream.read(None)) is not None:
    if event.get_kind() == Woolly.EventKind.TEXT:
        print(event.get_text(), end='', flush=True)
print()
session.close(None)
