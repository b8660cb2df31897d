#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chat templates of the other tests, a file each: template-seeds.py OUT_FOLDER CONSTRUCTS GENERATED STAMP."""
import json
import os
import sys


def main():
    folder, constructs, generated, stamp = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    with open(constructs, encoding='utf-8') as file:
        templates = [case.split('\n-\n')[0] for case in file.read().split('\n=\n')]
    with open(generated, encoding='utf-8') as file:
        templates += [case['template'] for case in json.load(file)]
    for number, template in enumerate(templates):
        with open(os.path.join(folder, str(number)), 'w', encoding='utf-8') as file:
            file.write(template)
    with open(stamp, 'w', encoding='utf-8'):
        pass


if __name__ == '__main__':
    main()
