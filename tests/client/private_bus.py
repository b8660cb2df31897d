# SPDX-License-Identifier: LGPL-2.1-or-later
"""A session bus of the test's own, which knows no service files but those in the folder given."""
import atexit
import os
import subprocess
import tempfile

CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  {services}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
'''


class PrivateBus:
    """up() sets DBUS_SESSION_BUS_ADDRESS of this process and its children; the bus ends with the process, or by down()."""

    def __init__(self, service_folder=None):
        self.services = f'<servicedir>{service_folder}</servicedir>' if service_folder else ''
        self.process = None
        self.address = None

    def up(self):
        with tempfile.NamedTemporaryFile('w', suffix='.conf') as config:
            config.write(CONFIG.format(services=self.services))
            config.flush()
            self.process = subprocess.Popen(['dbus-daemon', f'--config-file={config.name}', '--nofork', '--print-address'],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError('dbus-daemon did not start')
        os.environ['DBUS_SESSION_BUS_ADDRESS'] = self.address
        atexit.register(self.down)
        return self

    def down(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()
        self.process = None
