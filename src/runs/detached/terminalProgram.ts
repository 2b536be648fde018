/**
 * Runs `/bin/sh COMMAND` in a terminal of its own, for pods without `script`: what comes on standard input is typed, what is
 * printed goes to standard output, and the exit code is a shell's. Python 3.4 or newer. A full disk does not end the run:
 * what cannot be written is lost, which the file of the second argument tells, and the program goes on.
 */
export const TERMINAL_PROGRAM = `
import errno, os, pty, select, signal, sys
pid, master = pty.fork()
if pid == 0:
    for s in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(s, signal.SIG_DFL)
    os.execv('/bin/sh', ['/bin/sh', sys.argv[1]])
for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(s, signal.SIG_IGN)
os.set_blocking(master, False)
typed = b''
def show(data):
    while data:
        try:
            data = data[os.write(1, data):]
        except OSError:
            try:
                open(sys.argv[2], 'w').close()
            except OSError:
                pass
            return
def drain():
    while True:
        try:
            data = os.read(master, 65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        show(data)
status = None
while True:
    if status is None:
        done, s = os.waitpid(pid, os.WNOHANG)
        if done:
            status = s
            drain()
            break
    readable, writable, _ = select.select([master] + ([0] if len(typed) < 65536 else []), [master] if typed else [], [], 0.1)
    if master in readable and not drain():
        _, status = os.waitpid(pid, 0)
        break
    if 0 in readable:
        typed += os.read(0, 65536)
    if master in writable and typed:
        try:
            typed = typed[os.write(master, typed[:4096]):]
        except BlockingIOError:
            pass
        except OSError:
            typed = b''
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
`;
