# SPDX-License-Identifier: BSD-2-Clause
"""Recovery codes, as an administrator makes them and people use them."""
import re

CODE = re.compile(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){5}\b")
ASK = r"Recovery code \(Enter to give up\): "
WRONG = "This recovery code is wrong or was used before"


def make(rig, user):
    """Ten new ones; the older ones have ended."""
    found = CODE.findall(rig.countersign("recovery", "--yes", user))
    assert len(set(found)) == 10
    return found


def use(rig, user, *answers, service="login", options=()):
    """A login through pam-run in which these answers are given."""
    words = [word for answer in answers for word in ("--answer", answer)]
    return rig.login(user, *words, *options, service=service)
