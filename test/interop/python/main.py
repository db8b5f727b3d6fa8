"""The C-core side of the interop suite: the same program as ../go, with the same commands.

A server with switches for what a server really does wrong, and a client that storms it. Both read
commands from standard input, one a line, and answer each with one line of JSON on standard output; the
first line says where they listen. They end with their standard input.
"""

import sys

from call import call
from lines import fail
from serve import serve

ROLES = {"serve": serve, "call": call}

if len(sys.argv) < 2 or sys.argv[1] not in ROLES:
    fail("usage: main.py serve|call [flags]")
ROLES[sys.argv[1]](sys.argv[2:])
