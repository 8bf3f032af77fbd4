# SPDX-License-Identifier: BSD-2-Clause
"""What a camera sees of a terminal: text as a picture, and its QR codes."""
import re
import subprocess
import tempfile

import pytest
from sources import tool

LINK = re.compile(r"https?://[^\s/#]+/#[A-Z2-7]{26}\b", re.I)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
DARK = ("black", "white")  # background, text
LIGHT = ("white", "black")
SIZE = 20


def picture(text, colours=DARK, blur=0):
    """
    Draws text as a terminal does: each character in a cell of its own, in a
    common fixed-width font.  blur: how far out of focus the camera is.
    """
    image_module = pytest.importorskip("PIL.Image")
    from PIL import ImageDraw, ImageFilter, ImageFont, ImageOps
    try:
        font = ImageFont.truetype(FONT, SIZE)
    except OSError:
        pytest.skip("fonts-dejavu-core is missing")
    # Half blocks fill their cell exactly, as terminals take care of.
    left, top, right, bottom = font.getbbox("\u2588")
    width, height = right - left, bottom - top
    lines = text.split("\n")
    columns = max(map(len, lines))
    image = image_module.new(
        "L", ((columns + 2) * width, (len(lines) + 2) * height), colours[0])
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            draw.text(((column + 1) * width - left, (row + 1) * height - top),
                      character, font=font, fill=colours[1])
    if blur:
        image = ImageOps.autocontrast(
            image.filter(ImageFilter.GaussianBlur(blur)))
    return image


def scan(image):
    """The texts of the QR codes in a picture, by zbarimg."""
    program = tool("zbarimg")
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        image.save(file.name)
        run = subprocess.run(
            [program, "-q", "--raw", "-Sdisable", "-Sqrcode.enable",
             file.name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True)
    return run.stdout.split()


def link_in(text):
    """The link as it stands in text, or None."""
    found = LINK.search(text)
    return found.group(0) if found else None


def camera(text, colours=DARK):
    """What a camera reads while it comes closer: every link it recognises."""
    for blur in (0, 4, 6, 8, 9, 10, 12):
        found = scan(picture(text, colours, blur))
        if found:
            return found
    return []
