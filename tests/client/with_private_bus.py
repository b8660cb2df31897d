#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command on a session bus of its own, where libwoolly finds the service of fake_woollyd.py."""
import os
import subprocess
import sys

from private_bus import PrivateBus

PrivateBus().up()
os.environ.setdefault('WOOLLY_DAEMON', os.path.join(os.path.dirname(os.path.abspath(__file__)), 'fake_woollyd.py'))
sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
