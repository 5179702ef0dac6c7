"""What a page of this site may load, run and send to: itself, and nothing inline."""

from csp.constants import NONCE, NONE, SELF

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        # Bootstrap's check marks and carets are data: pictures in its stylesheet.
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        # An invoice's page shows its paper in a frame; that page has a closed policy of its own.
        "frame-src": [SELF],
        "frame-ancestors": [NONE],
    },
}
