"""An issuer of tokens on loopback, which signs with keys of its own."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "keypost-support"
RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


class Issuer:
    """Serves its description and its signing keys as OpenID Connect requires; counts the requests for the keys."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {"rsa": RSA, "ec": EC, "RS512": RSA}
        self.asked = 0
        self.status = 200
        self.calls_itself: str | None = None
        self.keys_at: str | None = None
        self.visits: list[dict[str, str]] = []  # what pages asked with which somebody came to sign in
        self.exchanges: list[dict[str, str]] = []  # with which pages asked for a token
        self.denies = False
        self.claims: dict[str, Any] = {"scope": "support contact"}  # of the next token
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                if path == "/tenant/sign-in":
                    self.send_response(303)
                    self.send_header("Location", issuer.signed_in(dict(parse_qsl(query))))
                    self.end_headers()
                    return
                body = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(issuer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                asked = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                given = issuer.exchanged(asked)
                body = json.dumps(given or {"error": "invalid_grant"}).encode()
                self.send_response(200 if given else 400)
                self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", ""))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tenant"

    def answer(self, path: str) -> dict[str, Any]:
        if path == "/tenant/.well-known/openid-configuration":
            return {
                "issuer": self.calls_itself or self.url,
                "jwks_uri": self.keys_at or f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/sign-in",
                "token_endpoint": f"{self.url}/token",
            }
        assert path == "/tenant/keys"
        self.asked += 1
        return {"keys": [public(name, key) for name, key in self.keys.items()]}

    def signed_in(self, asked: dict[str, str]) -> str:
        """Where a browser goes after somebody signed in, or was not let in."""
        self.visits.append(asked)
        given = {"error": "access_denied"} if self.denies else {"code": f"code-{len(self.visits)}"}
        return f"{asked['redirect_uri']}?{urlencode(given | {'state': asked['state']})}"

    def exchanged(self, asked: dict[str, str]) -> dict[str, str] | None:
        """The tokens for a code, for the page alone that asked for it (RFC 7636)."""
        self.exchanges.append(asked)
        visit = self.visits[int(asked["code"].removeprefix("code-")) - 1]
        digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != visit["code_challenge"]:
            return None
        same = all(asked[name] == visit[name] for name in ("client_id", "redirect_uri"))
        claims = {"nonce": visit["nonce"], "preferred_username": "anna"}
        return {"access_token": self.token(**self.claims), "id_token": self.token(**claims)} if same else None

    def token(self, key: Any = RSA, algorithm: str = "RS256", kid: str | None = "rsa", **claims: Any) -> str:
        now = int(time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "user-1", "iat": now, "nbf": now, "exp": now + 3600}
        said = {**good, "scope": "support", **claims}
        headers = {"kid": kid} if kid else {}
        return jwt.encode({k: v for k, v in said.items() if v is not None}, key, algorithm, headers)


def public(kid: str, key: Any) -> dict[str, Any]:
    signs = {"alg": kid} if kid == "RS512" else {}
    algorithm: Any = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **signs}


@contextmanager
def issuer_here() -> Iterator[Issuer]:
    issuer = Issuer()
    serving = threading.Thread(target=issuer.server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield issuer
    finally:
        issuer.server.shutdown()
        issuer.server.server_close()
        serving.join()
