#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The same in shell. gdbus cannot take the descriptor of a stream, so that this waits for the whole text.
set -e
name=org.woolly.Woolly1
path=/org/woolly/Woolly1

gdbus call --session --dest $name --object-path $path \
    --method org.freedesktop.DBus.ObjectManager.GetManagedObjects |
    grep -o "'Id': <'[^']*'>" | cut -d"'" -f4 >&2

# GVariant text: quotes and backslashes of the question are escaped. The empty name is the default model.
question=$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')
gdbus call --session --dest $name --object-path $path --timeout 60 --method $name.Manager.GenerateText \
    '' "{'messages': <[{'role': <'user'>, 'content': <\"$question\">}]>}" \
    "{'temperature': <0.0>, 'max-tokens': <uint32 40>}" |
    sed "s/^(['\"]//; s/['\"], {.*//"
