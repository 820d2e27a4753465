"""Pictures of pages: files of images to drafts, and any page as the greyscale picture that is recognised.

Hides Pillow, numpy and pdfium's drawing: depths of colour, transparency, pages of a TIFF, turned photographs,
and how large a picture has to be for its letters to be read.
"""

from __future__ import annotations

import dataclasses
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter, ImageOps

from ingest.drafts import Draft
from ingest.frontmatter import Metadata, completed
from ingest.isolation import beat
from kb.errors import Reason, UnreadableDocument
from kb.records import Page, Quality

PDF = "application/pdf"

_MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a photograph with its preview, as telephones make them
    "TIFF": "image/tiff",
    "WEBP": "image/webp",
}
MEDIA_TYPES = frozenset((PDF, *_MEDIA_TYPES.values()))
"""Media types of files whose pages can be recognised."""

_OPENED = ("PNG", "JPEG", "TIFF", "WEBP")  # MPO is opened as JPEG
_DPI = 300  # of a page drawn for recognition: letters of 10 points are then 25 pixels high
_MOST_PIXELS = 25_000_000  # A4 at 300 dpi has 9 million, A3 17 million; a larger sheet is drawn smaller
_LONG_SIDE = 3508  # pixels of A4 at 300 dpi: a smaller image is enlarged towards it
_MOST_ENLARGED = 3.0  # times: more makes no letter clearer
_MOST_FRAMES = 2_000
# Chosen on six pages of a real standard, scanned at 150 dpi, at 100 dpi askew, and turned by 1, 3 and 5
# degrees: words found rise from 96, 88, 98, 96, 92 % to 99, 95, 99, 99, 99 %; clean pages lose nothing.
_BLUR = 1  # pixels: the squares that enlarging makes of a coarse scan, and of JPEG, go
_RAMP = 0.2  # of the way from ink to paper, at each end, that becomes black or white
_STEEPEST, _STEP, _FINE = 6.0, 0.5, 0.1  # degrees that a page may stand askew, and of search
_STRAIGHT = 0.15  # degrees below which turning blurs more than it mends
_SKETCH = 1000  # pixels of the long side of the picture on which the angle is looked for
_FAULTS = (OSError, EOFError, ValueError, SyntaxError, TypeError, KeyError, IndexError, struct.error)


def read(path: Path) -> Iterator[Draft]:
    """One draft of an image, with a page for each of its own if it is a TIFF, all still to be recognised.
    Raises UnreadableDocument: DAMAGED, TOO_LARGE."""
    with _opened(path) as image:
        kind = _MEDIA_TYPES[image.format or ""]
        count = min(getattr(image, "n_frames", 1), _MOST_FRAMES) if image.format == "TIFF" else 1
        image.draft("L", (100, 100))
        image.load()  # damage is told now and not an hour later
    pages = tuple(Page(number, "", None, 0.0, Quality.SCAN) for number in range(1, count + 1))
    draft = completed(Draft(pages=pages, media_type=kind), Metadata(), [], path.name)
    yield dataclasses.replace(draft, warnings=(f"{count} page(s) sans texte sur {count}",))


def picture(path: Path, media_type: str, number: int) -> Image.Image:
    """Page ``number`` (from 1) in greys, as large as recognition wants it and no larger than memory bears.
    Raises UnreadableDocument: DAMAGED, TOO_LARGE."""
    beat()
    drawn = _page(path, number) if media_type == PDF else _frame(path, number)
    return _contrasted(_straightened(drawn).filter(ImageFilter.GaussianBlur(_BLUR)))


def shown(path: Path, number: int, width: int) -> Image.Image | None:
    """Page ``number`` of a file of images in its colours, ``width`` pixels wide; None when there is no such
    page. Raises UnreadableDocument: DAMAGED, TOO_LARGE."""
    with _opened(path) as image:
        if number > getattr(image, "n_frames", 1):
            return None
        image.seek(number - 1)
        image.draft("RGB", (2 * width, 2 * width))
        seen = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
        if seen.mode == "RGBA":
            seen = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
        upright = ImageOps.exif_transpose(seen)
    wide, tall = upright.size
    return upright.resize((width, max(1, round(tall * width / wide))), Image.Resampling.LANCZOS)


def _page(path: Path, number: int) -> Image.Image:
    try:
        with pypdfium2.PdfDocument(path) as document:
            page = document[number - 1]
            wide, tall = page.get_size()
            scale = min(_DPI / 72, (_MOST_PIXELS / max(1.0, wide * tall)) ** 0.5)
            drawn: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
            return drawn.convert("L")
    except (pypdfium2.PdfiumError, IndexError, ValueError) as error:
        raise UnreadableDocument(Reason.DAMAGED, f"page {number}: {error}") from error


def _frame(path: Path, number: int) -> Image.Image:
    with _opened(path) as image:
        if number > 1:
            image.seek(number - 1)
        image.draft("L", (_LONG_SIDE, _LONG_SIDE))
        upright = ImageOps.exif_transpose(_grey(image))
    wide, tall = upright.size
    scale = min(_LONG_SIDE / max(wide, tall), _MOST_ENLARGED)
    if scale < 1:
        scale = min(1.0, (_MOST_PIXELS / (wide * tall)) ** 0.5)
    if scale == 1:
        return upright
    size = max(1, round(wide * scale)), max(1, round(tall * scale))
    return upright.resize(size, Image.Resampling.LANCZOS)


def _grey(image: Image.Image) -> Image.Image:
    """The image in 256 greys on white paper, with what it says of how it was turned."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more, which convert() would cut off at 255
        deep = np.asarray(image, dtype=np.float32)
        grey = Image.fromarray((deep * (255.0 / max(1.0, float(deep.max())))).clip(0, 255).astype(np.uint8))
    elif image.has_transparency_data:
        seen = image.convert("RGBA")
        paper = Image.new("RGBA", seen.size, "white")
        grey = Image.alpha_composite(paper, seen).convert("L")
    else:
        grey = image.convert("L")
    if "exif" in image.info:
        grey.info["exif"] = image.info["exif"]
    return grey


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large images and of odd tags; the limits are elsewhere
            with Image.open(path, formats=_OPENED) as image:
                yield image
    except Image.DecompressionBombError as error:
        raise UnreadableDocument(Reason.TOO_LARGE, str(error)) from error
    except FileNotFoundError:
        raise
    except _FAULTS as error:
        raise UnreadableDocument(Reason.DAMAGED, repr(error)) from error


# -- what makes letters easier to tell


def _straightened(picture: Image.Image) -> Image.Image:
    """The page with its lines level: at the right angle, rows of pixels are the most unlike their
    neighbours."""
    sketch = picture.copy()
    sketch.thumbnail((_SKETCH, _SKETCH))
    ink = ImageOps.invert(sketch)

    def contrast(angle: float) -> float:
        rows = np.asarray(ink.rotate(angle, Image.Resampling.BILINEAR), dtype=np.float32).sum(axis=1)
        return float((np.diff(rows) ** 2).sum())

    best = max(np.arange(-_STEEPEST, _STEEPEST + _STEP / 2, _STEP).tolist(), key=contrast)
    best = max(np.arange(best - _STEP, best + _STEP, _FINE).tolist(), key=contrast)
    if abs(best) < _STRAIGHT:
        return picture
    return picture.rotate(best, Image.Resampling.BICUBIC, fillcolor=255)


def _contrasted(picture: Image.Image) -> Image.Image:
    """Ink black and paper white, with a ramp of greys between them: letters keep their soft edges."""
    counts = np.asarray(picture.histogram(), dtype=np.float64)
    weight, moment = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    apart = (moment[-1] * weight / weight[-1] - moment) ** 2 / np.maximum(1, weight * (weight[-1] - weight))
    border = int(apart.argmax())  # N. Otsu, 1979
    ink = moment[border] / max(1.0, weight[border])
    paper = (moment[-1] - moment[border]) / max(1.0, weight[-1] - weight[border])
    low, high = ink + _RAMP * (paper - ink), paper - _RAMP * (paper - ink)
    ramp = np.clip((np.arange(256) - low) * 255 / max(1.0, high - low), 0, 255)
    return picture.point([int(level) for level in ramp])
