# SPDX-License-Identifier: BSD-2-Clause
"""
The host API as a courier meets it: each endpoint, what its reply is, and what
each member of that has to be (countersign-protocol(7)).
"""
import json

# What a courier makes of a reply.
FINE = "fine"    # as good as the honest one
BAD = "bad"      # no use to ask again
AGAIN = "again"  # may be better the next time
SLOW = "slow"    # nothing comes before the time is over


class Reply:
    def __init__(self, status, kind=None, body=None):
        self.status, self.kind = status, kind
        self.members = body if isinstance(body, dict) else None
        self.body = (json.dumps(body).encode() if self.members is not None
                     else body or b"")

    def types(self):
        return [] if self.kind is None else [f"Content-Type: {self.kind}"]

    def head(self, status=None, headers=None, length=True, version="HTTP/1.1",
             size=None):
        status = self.status if status is None else status
        lines = [f"{version} {status} X",
                 *(self.types() if headers is None else headers)]
        if length and status != 204:
            lines.append("Content-Length: "
                         f"{len(self.body) if size is None else size}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def raw(self, **keywords):
        return self.head(**keywords) + self.body

    def with_body(self, body, headers=None):
        return self.head(headers=headers, size=len(body)) + body

    def chunked(self, *chunks, end=b"0\r\n\r\n", more=()):
        head = self.head(headers=[*self.types(), "Transfer-Encoding: chunked",
                                  *more], length=False)
        return head + b"".join(b"%x\r\n%s\r\n" % (len(c), c)
                               for c in chunks) + end


class Text:
    """
    A member of at most so many characters; ident: of an id's alone; empty:
    what an empty one is.
    """

    def __init__(self, most, ident=False, empty=BAD):
        self.most, self.ident, self.empty = most, ident, empty


class Number:
    def __init__(self, most):
        self.most = most


ID, TOKEN, WORD = Text(64, True), Text(512), Text(64)
# Only "unknown" says anything; an event that nobody knows is passed over.
STATE, EVENT = Text(64, empty=FINE), Text(64, empty=SLOW)


class Endpoint:
    """
    rule: as couriers.Service names it.  members: of the JSON object, which
    lies at the member within, if that is said.
    """

    def __init__(self, rule, status, kind=None, members=None, within=None):
        self.rule, self.status, self.kind = rule, status, kind
        self.members, self.within = members or {}, within


API = {
    "approval": Endpoint("POST /api/v1/approval", 201, "application/json",
                         {"transactionId": ID, "statusToken": TOKEN}),
    "enrolment": Endpoint("POST /api/v1/users/enroll", 201,
                          "application/json",
                          {"transactionId": ID, "statusToken": TOKEN},
                          within="enrollment"),
    "status": Endpoint("POST /api/v1/status", 200, "application/json",
                       {"transactionId": WORD, "status": STATE,
                        "event": EVENT, "answer": Text(10923),
                        "sequence": Number(2 ** 31 - 1)}),
    "outcome": Endpoint("POST /api/v1/approval/transaction-1/outcome", 204),
    "cancel": Endpoint("DELETE /api/v1/approval/transaction-1", 204),
    "ping": Endpoint("GET /ping", 200, "text/plain"),
    "user": Endpoint("GET /api/v1/users?username=", 200, "application/json",
                     {"userId": ID}),
    "user's removal": Endpoint("DELETE /api/v1/users/user-7", 204),
    "device's removal": Endpoint("DELETE /api/v1/authenticators/", 204),
    "device's name": Endpoint("PATCH /api/v1/authenticators/", 204),
}
