# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs unittest cases and reports in TAP, so that meson counts each one.

In a test program, instead of unittest.main():

    import woolly_tap
    woolly_tap.main()

Arguments select cases, as of unittest. meson gives PYTHONPATH=tests to every test.
"""
import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    """Writes a TAP line as each case ends."""

    def __init__(self, stream):
        super().__init__()
        self.out = stream
        self.count = 0
        self.unexpected = False

    def _line(self, ok, test, directive=''):
        self.count += 1
        name = test.id().replace('__main__.', '').replace('#', '_')
        self.out.write(f'{"ok" if ok else "not ok"} {self.count} - {name}{directive}\n')
        self.out.flush()

    def _comment(self, text):
        sys.stderr.write(text.rstrip() + '\n')  # of what is no case, meson shows only this
        sys.stderr.flush()

    def _fail(self, test, error):
        kind, value, trace = error
        while trace is not None and '__unittest' not in trace.tb_frame.f_globals and trace.tb_next is not None:
            trace = trace.tb_next  # to unittest's own frames …
        while trace is not None and '__unittest' in trace.tb_frame.f_globals:
            trace = trace.tb_next  # … and past them
        frames = [frame for frame in traceback.format_exception(kind, value, trace) if 'unittest/case.py' not in frame]
        self._comment(''.join(frames))
        self._line(False, test)
        self.unexpected = True

    def addSuccess(self, test):
        self._line(True, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fail(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._fail(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._comment(subtest.id())
            self._fail(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line(True, test, f' # SKIP {reason}')

    def addExpectedFailure(self, test, err):
        self._fail(test, err)  # a test of ours passes or fails

    def addUnexpectedSuccess(self, test):
        self._line(True, test)


def main(module='__main__'):
    loader = unittest.defaultTestLoader
    target = sys.modules[module]
    names = [argument for argument in sys.argv[1:] if not argument.startswith('-')]
    suite = loader.loadTestsFromNames(names, target) if names else loader.loadTestsFromModule(target)
    stream = sys.stdout
    sys.stdout = sys.stderr  # what a test prints must not be taken for TAP
    result = TapResult(stream)
    suite.run(result)
    if result.count == 0:
        result.unexpected = True
        stream.write('Bail out! There is no test in this program.\n')
    stream.write(f'1..{result.count}\n')
    stream.flush()
    sys.exit(1 if result.unexpected else 0)
