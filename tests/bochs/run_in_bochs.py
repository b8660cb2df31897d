#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs programs on a processor that this machine need not have: in a small Linux that Bochs emulates.

    tests/bochs/run_in_bochs.py --cpu corei7_skylake_x --init build/tests/bochs/bochs-init -- PROGRAM [ARGUMENT…]

Several commands are separated by `--` as well; variables may stand before a program as in a shell. A program comes with
the libraries it is linked to, all at the same paths as here; whatever else it reads is named by --with. What it writes
to its output is written to this one's, with --tap as one TAP report of all commands. The exit status is 0 only where
all of them ended with 0; 77 where something is missing here; 3 where the emulated machine did not finish.
"""
import argparse
import glob
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import tty

STATUS_MISSING = 77  # as meson and automake have it
STATUS_STUCK = 3
ISOLINUX = ['/usr/lib/ISOLINUX/isolinux.bin', '/usr/lib/syslinux/modules/bios/ldlinux.c32']
BIOS = ['/usr/share/bochs/BIOS-bochs-latest', '/usr/share/bochs/VGABIOS-lgpl-latest']

# Emulated seconds are counted in instructions: this many make one. Few, so that what waits for a time has it soon, but
# enough for the kernel's ticks (250 a second) not to be most of what runs.
IPS = 20_000_000

# What the kernel must not meet in Bochs: sizes of compacted registers and of protection keys that do not add up, at which
# it does without AVX; and short copies that are fast where long ones are not, at which its memmove never ends.
KERNEL_ARGUMENTS = ' '.join([
    'console=ttyS0,115200', 'quiet', 'loglevel=4', 'panic=-1', 'clearcpuid=xsavec,xsaves,pku,fsrm,aperfmperf',
    'lapic=notscdeadline', 'nokaslr', 'mitigations=off', 'nosmp', 'tsc=reliable', 'random.trust_cpu=on', 'audit=0',
    'vt.global_cursor_default=0',
])

BOCHSRC = '''\
display_library: term
romimage: file={bios[0]}
vgaromimage: file={bios[1]}
cpu: model={cpu}, count=1, ips={ips}, reset_on_triple_fault=0
memory: guest={memory}, host={memory}
clock: sync=none, time0=1700000000
ata0: enabled=1
ata0-master: type=cdrom, path={folder}/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/serial
log: {folder}/log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
'''


class Missing(Exception):
    """What this machine lacks to emulate another."""


class Stuck(Exception):
    """The emulated machine did not do its work."""


# ---- what is needed ----

def fetch_kernel(folder):
    """Debian's smallest kernel, taken out of its package without installing it; kept in the folder."""
    found = sorted(glob.glob(f'{folder}/boot/vmlinuz-*'))
    if found:
        return found[-1]
    os.makedirs(folder, exist_ok=True)
    depends = subprocess.run(['apt-cache', 'depends', 'linux-image-cloud-amd64'], capture_output=True, text=True,
                             check=False).stdout
    names = re.findall(r'Depends: (linux-image-\S+)', depends)
    if not names:
        raise Missing('apt knows no package linux-image-cloud-amd64')
    with tempfile.TemporaryDirectory() as download:
        got = subprocess.run(['apt-get', 'download', '-q', names[0]], cwd=download, capture_output=True, text=True,
                             check=False)
        packages = glob.glob(f'{download}/*.deb')
        if got.returncode != 0 or not packages:
            raise Missing(f'apt-get cannot download {names[0]}: {got.stderr.strip()}')
        subprocess.run(['dpkg-deb', '-x', packages[0], f'{download}/all'], check=True)
        shutil.copytree(f'{download}/all/boot', f'{folder}/boot', dirs_exist_ok=True)
    return sorted(glob.glob(f'{folder}/boot/vmlinuz-*'))[-1]


def find_kernel(args):
    if args.kernel:
        if not os.access(args.kernel, os.R_OK):
            raise Missing(f'the kernel {args.kernel} cannot be read')
        return args.kernel
    # The one for clouds has fewest drivers that look for devices.
    found = [path for path in glob.glob('/boot/vmlinuz-*') if os.access(path, os.R_OK)]
    if found:
        return sorted(found, key=lambda path: ('cloud' in path, path))[-1]
    if args.fetch:
        return fetch_kernel(args.fetch)
    raise Missing('there is no kernel in /boot that can be read; --fetch FOLDER downloads one')


def check_tools():
    for tool, package in [('bochs', 'bochs'), ('xorriso', 'xorriso')]:
        if shutil.which(tool) is None:
            raise Missing(f'{tool} is not there (package {package})')
    for path, package in [(ISOLINUX[0], 'isolinux'), (ISOLINUX[1], 'syslinux-common'), (BIOS[0], 'bochsbios'),
                          (BIOS[1], 'vgabios')]:
        if not os.path.exists(path):
            raise Missing(f'{path} is not there (package {package})')
    if not glob.glob('/usr/lib/*/bochs/plugins/libbx_term_gui.so'):
        raise Missing('Bochs cannot show its screen in a terminal (package bochs-term)')


# ---- the machine's files ----

class Archive:
    """An initramfs: a cpio archive of the kind newc."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def _add(self, name, mode, content=b'', device=(0, 0)):
        encoded = name.encode() + b'\0'
        numbers = [len(self.parts) + 1, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0]
        header = b'070701' + b''.join(b'%08x' % number for number in numbers) + encoded
        for part in (header, content):
            self.parts.append(part + b'\0' * (-len(part) % 4))

    def _add_parents(self, name):
        parts = name.split('/')[:-1]
        for i in range(1, len(parts) + 1):
            folder = '/'.join(parts[:i])
            if folder and folder not in self.names:
                self.names.add(folder)
                self._add(folder, stat.S_IFDIR | 0o755)

    def add(self, path, content, mode=0o755):
        name = path.lstrip('/')
        if name not in self.names:
            self.names.add(name)
            self._add_parents(name)
            self._add(name, stat.S_IFREG | mode, content)

    def add_device(self, path, major, minor):
        self._add_parents(path.lstrip('/'))
        self._add(path.lstrip('/'), stat.S_IFCHR | 0o666, device=(major, minor))

    def finish(self):
        self._add('TRAILER!!!', 0)
        return b''.join(self.parts)


def libraries_of(path):
    """What the dynamic linker will load, by absolute path; nothing of static programs."""
    told = subprocess.run(['ldd', path], capture_output=True, text=True, check=False).stdout
    missing = re.findall(r'(\S+) => not found', told)
    if missing:
        raise Missing(f'{path} needs {missing[0]}, which is not there')
    return re.findall(r'(/\S+) \(0x', told)


def read_program(path):
    """Without what only a debugger reads, most of a program, for the emulated machine is slow to load it."""
    with tempfile.NamedTemporaryFile() as small:
        if shutil.which('strip') and subprocess.run(['strip', '-o', small.name, path], check=False).returncode == 0:
            path = small.name
        with open(path, 'rb') as file:
            return file.read()


def add_path(archive, path):
    if os.path.isdir(path):
        for folder, _, files in os.walk(path):
            for name in sorted(files):
                add_path(archive, os.path.join(folder, name))
        return
    with open(path, 'rb') as file:
        content = file.read()
    is_program = content.startswith(b'\x7fELF')
    archive.add(path, read_program(path) if is_program else content, stat.S_IMODE(os.stat(path).st_mode) | 0o444)
    if is_program:
        for library in libraries_of(path):
            if library.lstrip('/') not in archive.names:
                add_path(archive, library)


def split_commands(words):
    commands = [[]]
    for word in words:
        if word == '--':
            commands.append([])
        else:
            commands[-1].append(word)
    return [command for command in commands if command]


def program_at(command):
    """Where in a command the program stands: after NAME=VALUE."""
    for i, word in enumerate(command):
        if '=' not in word:
            return i
    raise Missing(f'"{" ".join(command)}" has no program')


def make_initramfs(args, commands):
    archive = Archive()
    lines = []
    add_path(archive, os.path.abspath(args.init))
    archive.add_device('/dev/console', 5, 1)
    for path in args.paths:
        add_path(archive, os.path.abspath(path))
    for command in commands:
        at = program_at(command)
        program = os.path.abspath(command[at])
        if not os.path.exists(program):
            raise Missing(f'there is no program {program}')
        add_path(archive, program)
        lines.append(' '.join(command[:at] + [program] + command[at + 1:]))
    archive.add('/commands', '\n'.join(lines).encode() + b'\n', 0o644)
    return archive.finish()


def make_image(folder, kernel, initramfs, init, append):
    files = f'{folder}/files'
    os.mkdir(files)
    for path in ISOLINUX:
        shutil.copy(path, files)
    shutil.copy(kernel, f'{files}/linux')
    with open(f'{files}/initrd', 'wb') as file:
        file.write(initramfs)
    with open(f'{files}/isolinux.cfg', 'w', encoding='ascii') as file:
        file.write(f'DEFAULT linux\nPROMPT 0\nLABEL linux\nKERNEL linux\nINITRD initrd\n'
                   f'APPEND {KERNEL_ARGUMENTS} rdinit={init} {append}\n')
    subprocess.run(['xorriso', '-as', 'mkisofs', '-quiet', '-o', f'{folder}/boot.iso', '-b', 'isolinux.bin', '-c',
                    'boot.cat', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', files],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# ---- the run ----

def drain(path):
    """What Bochs draws has to be taken away, or it waits in the end."""
    with open(path, 'rb', buffering=0) as terminal:
        tty.setraw(terminal)
        try:
            while os.read(terminal.fileno(), 65536):
                pass
        except OSError:  # how a pty ends
            pass


def watch(stream):
    """Bochs says on its standard error which terminal it has made for the screen."""
    for line in stream:
        screen = re.search(rb'connected to screen "(.+)"', line)
        if screen:
            drain(screen[1].decode())


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


def seconds_of(process):
    """The processor time that a process has had: what others do on this machine must not make it late."""
    with open(f'/proc/{process.pid}/stat', encoding='ascii') as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def serial_lines(args, folder):
    """The lines of the emulated serial line as they come, until the last one or until the time is over."""
    # Debian's Bochs has its debugger, which waits for a command.
    for name, content in [('serial', ''), ('debugger', 'continue\n')]:
        with open(f'{folder}/{name}', 'w', encoding='ascii') as file:
            file.write(content)
    process = subprocess.Popen(['bochs', '-q', '-f', f'{folder}/bochsrc', '-rc', f'{folder}/debugger'],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder,
                               env={**os.environ, 'TERM': 'linux'})
    threading.Thread(target=watch, args=(process.stderr,), daemon=True).start()
    try:
        with open(f'{folder}/serial', 'rb') as serial:
            text = b''
            while True:
                ended = process.poll() is not None
                text += serial.read()
                *lines, text = text.split(b'\n')
                for line in lines:
                    yield line.decode(errors='replace').rstrip('\r')
                if ended:
                    raise Stuck(f'Bochs ended with {process.returncode}')
                if seconds_of(process) > args.timeout:
                    raise Stuck(f'the emulated machine is not done after {args.timeout:g} s')
                time.sleep(0.05)
    finally:
        stop(process)


class Report:
    """What the commands say, as it is or as one TAP report."""

    def __init__(self, is_tap, commands):
        self.is_tap = is_tap
        self.commands = [' '.join(os.path.basename(word) for word in command) for command in commands]
        self.n_ended = self.n_cases = 0
        self.failed = False

    def _case(self, passed, text):
        self.n_cases += 1
        print(f'{"ok" if passed else "not ok"} {self.n_cases} - {text}', flush=True)

    def line(self, text):
        case = re.fullmatch(r'(not )?ok \d+ *-? *(.*)', text)
        if not self.is_tap:
            print(text, flush=True)
        elif case:
            self._case(not case[1], case[2])
        elif not re.fullmatch(r'1\.\.\d+', text):
            print(text if text.startswith('#') else f'# {text}', flush=True)

    def end(self, status):
        command = self.commands[self.n_ended]
        self.n_ended += 1
        self.failed = self.failed or status != 0
        if self.is_tap:
            self._case(status == 0, f'{command} ended with {status}')

    def finish(self):
        if self.is_tap:
            print(f'1..{self.n_cases}')
        return 1 if self.failed or self.n_ended != len(self.commands) else 0


def run(args, commands, report):
    check_tools()
    kernel = find_kernel(args)
    with tempfile.TemporaryDirectory(prefix='woolly-bochs-') as folder:
        make_image(folder, kernel, make_initramfs(args, commands), os.path.abspath(args.init),
                   args.append)
        with open(f'{folder}/bochsrc', 'w', encoding='utf-8') as file:
            file.write(BOCHSRC.format(cpu=args.cpu, ips=args.ips, memory=args.memory, folder=folder, bios=BIOS))
        kernel_says = []
        begun = False
        start = time.monotonic()
        try:
            for line in serial_lines(args, folder):
                if line == 'init: begins':
                    begun = True
                    print(f'# {args.cpu}: booted in {time.monotonic() - start:.1f} s', file=sys.stderr, flush=True)
                elif line == 'init: all done':
                    break
                elif line.startswith('init: ended with '):
                    report.end(int(line.split()[-1]))
                elif begun:
                    report.line(line)
                else:
                    kernel_says.append(line)
                    if args.verbose:
                        print(f'# {line}', file=sys.stderr, flush=True)
        except Stuck as stuck:
            with open(f'{folder}/log', encoding='utf-8', errors='replace') as file:
                log = file.read().splitlines()[-15:]
            raise Stuck('\n'.join([str(stuck), *kernel_says[-30:], *log])) from None
        print(f'# {args.cpu}: done after {time.monotonic() - start:.1f} s', file=sys.stderr)
        return report.finish()


def main():
    parser = argparse.ArgumentParser(description='Runs programs on a processor that Bochs emulates.')
    parser.add_argument('--cpu', required=True, help='one of `bochs --help cpu`')
    parser.add_argument('--init', required=True, help='the program bochs-init')
    parser.add_argument('--kernel', help='a Linux kernel; else one of /boot')
    parser.add_argument('--fetch', metavar='FOLDER',
                        help="where /boot has no kernel, download Debian's for clouds and keep it in FOLDER")
    parser.add_argument('--with', dest='paths', action='append', default=[], metavar='PATH',
                        help='a file or folder that the programs read')
    parser.add_argument('--memory', type=int, default=256, help='MiB of the machine (%(default)s)')
    parser.add_argument('--ips', type=int, default=IPS, help='instructions to an emulated second (%(default)s)')
    parser.add_argument('--timeout', type=float, default=600, help='seconds of one core, with the boot (%(default)s)')
    parser.add_argument('--append', default='', help="more of the kernel's command line")
    parser.add_argument('--verbose', action='store_true', help='show what the kernel says, too')
    parser.add_argument('--tap', action='store_true', help='one TAP report of all commands')
    parser.add_argument('command', nargs=argparse.REMAINDER, help='after --')
    args = parser.parse_args()
    commands = split_commands(args.command)
    try:
        return run(args, commands, Report(args.tap, commands))
    except Missing as missing:
        if args.tap:
            print(f'1..0 # SKIP {missing}')
            return 0
        print(f'run_in_bochs: {missing}', file=sys.stderr)
        return STATUS_MISSING
    except Stuck as stuck:
        if args.tap:
            print('Bail out! ' + str(stuck).replace('\n', '\n# '))
        print(f'run_in_bochs: {stuck}', file=sys.stderr)
        return STATUS_STUCK


if __name__ == '__main__':
    sys.exit(main())
