#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tree tells the story: each folder has a README.md, which names its files, and names none that is not there."""
import os
import re

import source
import woolly_tap

# Folders that only hold folders, or whose parent's README speaks for them.
SPOKEN_FOR = re.compile(r'^(plugins/abi/woolly-plugin|plugins/arch|plugins/backend|tests/.+|data/(?!models).+|docs/.+|'
                        r'plugins/backend/[^/]+/.+|\.ci)$')
SOURCE = ('.c', '.h', '.py', '.xml', '.def')
NAMED_FILE = re.compile(r'`([\w./-]+\.(?:c|h|py|xml|def|sh|md|build|in|conf))`')
LINK = re.compile(r'\]\(([^)#:]+)(?:#[^)]*)?\)')
CODE = re.compile(r'^```.*?^```', re.MULTILINE | re.DOTALL)


def folders():
    return sorted({os.path.dirname(path) for path in source.walk()} - {''})


class Readmes(source.StyleCase):

    def test_every_folder_has_one(self):
        for folder in folders():
            if not SPOKEN_FOR.match(folder) and not os.path.exists(os.path.join(source.ROOT, folder, 'README.md')):
                self.findings.append(f'{folder}: lacks README.md: what comes in, what goes out, who calls it, its files')
        self.report(len(folders()))

    def test_files_are_named(self):
        """A stem is enough, or a stem and its family: `wly-os` stands for wly-os.h and wly-os-linux.c."""
        readmes = [path for path in source.files('README.md') if path.startswith(('daemon/', 'plugins/', 'introspection/'))]
        for readme in readmes:
            folder = os.path.dirname(readme)
            text = source.read(readme)
            for path in source.files(*SOURCE, under=folder + '/'):
                stem = os.path.splitext(os.path.basename(path))[0]
                family = re.sub(r'[-_]\w+$', '', stem)
                if os.path.dirname(path) == folder and stem not in text and f'`{family}`' not in text:
                    self.find(readme, 1, f'does not name {os.path.basename(path)}')
        self.report(len(readmes))

    def test_named_files_exist(self):
        readmes = source.files('.md')
        known = set(source.walk())
        names = {os.path.basename(path) for path in known}
        for readme in readmes:
            folder = os.path.dirname(readme)
            lines = source.read(readme).split('\n')
            for number, line in enumerate(lines, 1):
                for name in NAMED_FILE.findall(line):
                    near = os.path.normpath(os.path.join(folder, name))
                    tail = any(path.endswith('/' + name) for path in known)
                    if near not in known and name not in known and not tail and os.path.basename(name) not in names:
                        self.find(readme, number, f'{name} is nowhere in the tree', lines)
        self.report(len(readmes))

    def test_links_lead_somewhere(self):
        readmes = source.files('.md')
        for readme in readmes:
            for target in LINK.findall(CODE.sub('', source.read(readme))):
                if not os.path.exists(os.path.join(source.ROOT, os.path.dirname(readme), target)):
                    self.find(readme, 1, f'the link to {target} leads nowhere')
        self.report(len(readmes))


if __name__ == '__main__':
    woolly_tap.main()
