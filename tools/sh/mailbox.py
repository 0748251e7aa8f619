"""mailbox.py - the development mailbox as a mail server, for mails that are not notify's:

  mailbox.py PORT FOLDER

It takes any mail (RFC 5321, without TLS or signing in) on this machine only, and puts it
into FOLDER as a file of its own, NAME.eml, whole or not at all. The supervisor gets its
line at descriptor 3 once it listens."""
import os
import socketserver
import sys
import time

FOLDER = sys.argv[2]
LONGEST_LINE, LONGEST_MAIL = 4096, 1 << 20


def keep(text):
    """For the mesh's user and its group, as notify's own are."""
    name = os.path.join(FOLDER, f'{time.time_ns()}-alert')
    with open(name, 'xb', opener=lambda path, flags: os.open(path, flags, 0o640)) as file:
        file.write(text)
    os.rename(name, name + '.eml')


class Session(socketserver.StreamRequestHandler):
    timeout = 60

    def say(self, line):
        self.wfile.write(line.encode() + b'\r\n')

    def mail(self):
        """Lines up to a dot of its own; a dot before a line's first dot is none of its."""
        text, size = [], 0
        while True:
            line = self.rfile.readline(LONGEST_LINE)
            if not line:
                return None
            if line in (b'.\r\n', b'.\n'):
                break
            size += len(line)
            if size <= LONGEST_MAIL:
                text.append(line[1:] if line.startswith(b'.') else line)
        return b''.join(text).replace(b'\r\n', b'\n') if size <= LONGEST_MAIL else b''

    def data(self):
        self.say('354 go on')
        text = self.mail()
        if text is None:
            return False
        if not text:
            self.say('552 empty, or too long')
        else:
            keep(text)
            self.say('250 taken')
        return True

    def handle(self):
        self.say('220 localhost the development mailbox')
        while line := self.rfile.readline(LONGEST_LINE):
            word = line.strip()[:4].upper()
            if word == b'DATA':
                if not self.data():
                    return
            elif word in (b'EHLO', b'HELO', b'MAIL', b'RCPT', b'RSET', b'NOOP'):
                self.say('250 localhost')
            elif word == b'QUIT':
                self.say('221 bye')
                return
            else:
                self.say('502 this is only a mailbox')


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away, or was silent for a minute."""
        print('a mail did not come whole:', sys.exc_info()[1], file=sys.stderr, flush=True)


server = Server(('127.0.0.1', int(sys.argv[1])), Session)
os.write(3, b'\n')
os.close(3)
server.serve_forever()
