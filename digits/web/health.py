"""Health: python -m digits.web.health asks a server on this computer whether it is well, and exits with 0 or 1.

With the port as an argument if it is another than 7860, and with the password in DIGITS_PASSWORD if one is asked for.
"""

from __future__ import annotations

import base64
import os
import sys
from urllib.error import URLError
from urllib.request import Request, urlopen


def main() -> None:
    """Ask, and exit."""
    port = sys.argv[1] if len(sys.argv) > 1 else "7860"
    credentials = base64.b64encode(f"health:{os.environ.get('DIGITS_PASSWORD', '')}".encode()).decode()
    request = Request(f"http://127.0.0.1:{port}/api/health", headers={"Authorization": f"Basic {credentials}"})
    try:
        with urlopen(request, timeout=4) as answer:
            print(answer.read().decode())
    except (URLError, TimeoutError) as error:
        sys.exit(f"The server is not well: {error}")


if __name__ == "__main__":
    main()
