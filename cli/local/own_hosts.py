"""The servers on this machine answer their own host names only: a page of another site whose name leads here (DNS
rebinding) gets nothing."""

from http.server import BaseHTTPRequestHandler


class OwnHosts(BaseHTTPRequestHandler):
    def parse_request(self) -> bool:
        """False, and answered, for a request to another host. A browser always names one."""
        if not super().parse_request():
            return False
        _, port = self.connection.getsockname()
        if self.headers.get("Host") in (None, f"127.0.0.1:{port}", f"localhost:{port}"):
            return True
        self.close_connection = True
        self.send_error(421, "This server answers 127.0.0.1 and localhost only")
        return False
