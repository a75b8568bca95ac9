"""A password -> what clearml.fixedUsers takes for it with passHashed; run it to be asked for one.

The password is read from the terminal, or as a line of the input; never from the arguments, which
others on the machine can see.
"""

import base64
import getpass
import sys

LONGEST = 72  # bytes; bcrypt takes no more
LAST = "\xff"  # of the characters of Latin-1, which the server takes logins for


def main() -> str | None:
    """Print the base64 form of the bcrypt hash; the mistake if there can be none."""
    try:
        password, again = _read()
    except (EOFError, KeyboardInterrupt):
        return "no password was given"
    except UnicodeDecodeError:
        return "the password is no text in the encoding of this terminal"
    if password != again:
        return "the two passwords differ"
    if not password:
        return "the password must not be empty"
    if any(character > LAST for character in password):
        return "the password must have no characters above U+00FF: the server reads none"
    if len(password.encode()) > LONGEST:
        return f"the password must have no more than {LONGEST} bytes"
    if "\0" in password:
        return "the password must have no null bytes"
    try:
        import bcrypt
    except ImportError:
        return "needs the Python package bcrypt; `make hash-password` installs it"
    print(base64.b64encode(bcrypt.hashpw(password.encode(), bcrypt.gensalt())).decode())
    return None


def _read() -> tuple[str, str]:
    """The password, and what was typed to confirm it."""
    if sys.stdin.isatty():
        return getpass.getpass(), getpass.getpass("Again: ")
    password = sys.stdin.readline().rstrip("\r\n")
    return password, password


if __name__ == "__main__":
    sys.exit(main())
