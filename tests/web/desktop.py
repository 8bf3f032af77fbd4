# SPDX-License-Identifier: BSD-2-Clause
"""
A desktop that shows the browser's notifications, as far as a test needs it: a
message bus of its own, and on it the notifications of freedesktop.org.  So a
click reaches the service worker as a person's does.

As a program it is the server on that bus: it writes a line of JSON for each
notification, and reads the numbers of those to be clicked.
"""
import json
import os
import select
import subprocess
import sys

DEADLINE = 20


class Desktop:
    def __init__(self):
        import pytest
        from sources import tool
        pytest.importorskip("dbus")
        pytest.importorskip("gi")
        self.bus = subprocess.Popen(
            [tool("dbus-daemon"), "--session", "--nofork",
             "--print-address=1"], stdout=subprocess.PIPE, text=True)
        self.environment = {"DBUS_SESSION_BUS_ADDRESS":
                            self.bus.stdout.readline().strip()}
        # Unbuffered: select() knows nothing of a line that is already here.
        self.server = subprocess.Popen(
            ["/usr/bin/python3", __file__], bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, **self.environment})
        assert self.server.stdout.readline() == b"ready\n"

    def notification(self):
        """The next one: {"id", "title", "body", "actions", "closed"?}."""
        readable, _, _ = select.select([self.server.stdout], [], [], DEADLINE)
        assert readable, "no notification was shown"
        return json.loads(self.server.stdout.readline())

    def click(self, notification):
        self.server.stdin.write(f"{notification['id']}\n".encode())

    def close(self):
        for process in (self.server, self.bus):
            process.kill()
            process.wait()


def serve():
    import dbus
    import dbus.mainloop.glib
    import dbus.service
    from gi.repository import GLib

    interface = "org.freedesktop.Notifications"
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)

    def tell(what):
        print(json.dumps(what), flush=True)

    class Server(dbus.service.Object):
        last = 0

        @dbus.service.method(interface, "", "as")
        def GetCapabilities(self):
            return ["actions", "body", "body-hyperlinks", "body-markup",
                    "persistence"]

        @dbus.service.method(interface, "", "ssss")
        def GetServerInformation(self):
            return "desktop", "countersign", "1", "1.2"

        @dbus.service.method(interface, "susssasa{sv}i", "u")
        def Notify(self, app, replaces, icon, title, body, actions, hints,
                   timeout):
            self.last += 1
            tell({"id": self.last, "title": str(title), "body": str(body),
                  "actions": [str(one) for one in actions]})
            return dbus.UInt32(self.last)

        @dbus.service.method(interface, "u", "")
        def CloseNotification(self, number):
            self.NotificationClosed(number, dbus.UInt32(3))

        @dbus.service.signal(interface, "us")
        def ActionInvoked(self, number, action):
            pass

        @dbus.service.signal(interface, "uu")
        def NotificationClosed(self, number, reason):
            pass

    bus = dbus.SessionBus()
    name = dbus.service.BusName(interface, bus)
    server = Server(bus, "/org/freedesktop/Notifications")

    def clicked(source, _):
        line = source.readline()
        if line:
            server.ActionInvoked(dbus.UInt32(int(line)), "default")
        return bool(line)

    # Unbuffered: two numbers that come together are two calls of clicked().
    clicks = open(sys.stdin.fileno(), "rb", buffering=0)
    GLib.io_add_watch(clicks, GLib.PRIORITY_DEFAULT, GLib.IO_IN, clicked)
    print("ready", flush=True)
    GLib.MainLoop().run()
    del name


if __name__ == "__main__":
    serve()
else:
    __all__ = ["Desktop"]
