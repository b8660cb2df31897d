#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Model files that were cut short or filled with noise, through the whole service."""
import collections
import os
import random

import woolly_tap
from real_service import BUNDLED, Failed, RealCase, greedy

N_FILES = 200
N_OF_ONE_CLIENT = 20
HEADER_BYTES = 80000  # key-values and tensor infos, and a little more
# What a damaged file may be called. A worker that died, or hung, is none of it.
NAMES = {'InvalidModel', 'UnsupportedModel', 'NumericFault', 'NoMemory', 'ContextFull', 'NotSupported'}
GROWTH_KB = 8 * 1024


class Damage(RealCase):
    models = False

    def damaged(self, whole, chance, number):
        data = bytearray(whole)
        if number % 2 == 0:
            end = len(data) if number % 4 else HEADER_BYTES
            del data[chance.randrange(end):]
            return data
        end = HEADER_BYTES if number % 4 == 1 else len(data)
        for _ in range(chance.choice((1, 4, 64, 4096))):
            data[chance.randrange(end)] = chance.randrange(256)
        return data

    def ask(self, client, data):
        """What came of it: the name of the error, or None."""
        path = os.path.join(self.home, 'damaged.gguf')
        with open(path, 'wb') as file:
            file.write(data)
        try:
            model = self.open_file(path, client)
            text, result = client.text(model, 'Once upon', **greedy(4))
        except Failed as error:
            self.assertTrue(error.text)
            return error.name
        finally:
            os.unlink(path)  # the next one is another file
        self.assertEqual(result['reason'], 'length')
        self.assertNotIn('\0', text)
        return None

    def resident_kb(self):
        with open(f'/proc/{self.daemon.pid}/status') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('VmRSS:'))

    def children(self):
        """Zombies, too."""
        found = []
        for task in os.listdir(f'/proc/{self.daemon.pid}/task'):
            with open(f'/proc/{self.daemon.pid}/task/{task}/children') as file:
                found += file.read().split()
        return found

    def n_files(self):
        return len(os.listdir(f'/proc/{self.daemon.pid}/fd'))

    def ask_all(self, whole, numbers, chance):
        outcomes = collections.Counter()
        client = None
        for i in numbers:
            if i % N_OF_ONE_CLIENT == 0:
                if client:
                    client.close()
                client = self.client()
            name = self.ask(client, self.damaged(whole, chance, i))
            self.assertTrue(name is None or name in NAMES, (i, name, self.log()[-3000:]))
            outcomes[name] += 1
        client.close()
        self.until(lambda: not self.children())
        return outcomes

    def test_cuts_and_flips(self):
        with open(BUNDLED, 'rb') as file:
            whole = file.read()
        chance = random.Random(20261123)
        self.assertIsNone(self.ask(self.app, whole))
        self.app.close()
        self.ask_all(whole, range(N_OF_ONE_CLIENT), chance)  # after which everything is there that stays
        n_files, resident = self.n_files(), self.resident_kb()
        outcomes = self.ask_all(whole, range(N_OF_ONE_CLIENT, N_FILES), chance)
        self.assertGreater(outcomes[None], 10)  # noise in the weights
        self.assertGreater(outcomes['InvalidModel'], 50)
        self.until(lambda: self.n_files() <= n_files)
        self.assertEqual(self.children(), [])
        print(f'# outcomes {dict(outcomes)}; {resident} kB before, {self.resident_kb()} kB after')
        client = self.client()
        self.assertIsNone(self.ask(client, whole))
        if not self.sanitized():
            self.assertLess(self.resident_kb(), resident + GROWTH_KB)


if __name__ == '__main__':
    woolly_tap.main()
