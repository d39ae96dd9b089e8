# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of what ns-perf has measured: SVG written by hand, for light and dark pages."""
import html
import math

STYLE = """
 text { font: 13px system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #3d4450 }
 .title { font-size: 16px; font-weight: 600; fill: #14171c }
 .note { fill: #667080 } .num { font-variant-numeric: tabular-nums }
 .strong { font-weight: 600; fill: #14171c }
 .page { fill: #ffffff; stroke: #dde1e7 } .grid { stroke: #e6e9ee } .axis { stroke: #8a93a1 }
 .a { stroke: #1f6fd1; fill: #1f6fd1 } .b { stroke: #c2570c; fill: #c2570c }
 polyline.line { fill: none; stroke-width: 2.25; stroke-linejoin: round }
 polyline.floor { fill: none; stroke-width: 1.75; stroke-dasharray: 2 4; stroke-linecap: round }
 polyline.bar { fill: none; stroke: #667080; stroke-width: 1.25; stroke-dasharray: 7 4 }
 circle.dot { stroke: #ffffff; stroke-width: 1.5 }
 .s0 { fill: #1f6fd1 } .s1 { fill: #0d7f6f } .s2 { fill: #b4540a } .s3 { fill: #7b4cc2 }
 .s4 { fill: #566072 } .in { fill: #ffffff }
 @media (prefers-color-scheme: dark) {
  text { fill: #c3c9d3 } .title, .strong { fill: #f1f3f6 } .note { fill: #98a1af }
  .page { fill: #14171c; stroke: #2b313a } .grid { stroke: #2a2f38 } .axis { stroke: #6b7482 }
  .a { stroke: #63a6f5; fill: #63a6f5 } .b { stroke: #f0924a; fill: #f0924a }
  polyline.bar { stroke: #98a1af } circle.dot { stroke: #14171c }
  .s0 { fill: #63a6f5 } .s1 { fill: #37b8a3 } .s2 { fill: #ee9650 } .s3 { fill: #b08cf0 }
  .s4 { fill: #939daf } .in { fill: #0d0f12 }
 }
"""


class Picture:
    """A page with a title, a line below it, and what is put on it."""

    def __init__(self, width, height, title, note):
        self.width, self.height = width, height
        self.title = title
        self.parts = []
        self.rect(0.5, 0.5, width - 1, height - 1, "page", rx=6)
        self.text(24, 33, title, "title")
        self.text(24, 54, note, "note")

    def add(self, tag, cls, **attrs):
        text = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in attrs.items())
        self.parts.append(f'<{tag} class="{cls}"{text}/>')

    def rect(self, x, y, w, h, cls, rx=0):
        self.add("rect", cls, x=f"{x:.1f}", y=f"{y:.1f}", width=f"{w:.1f}",
                 height=f"{h:.1f}", rx=rx)

    def line(self, x1, y1, x2, y2, cls):
        self.add("line", cls, x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}")

    def path(self, points, cls):
        self.add("polyline", cls, points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))

    def dot(self, x, y, cls):
        self.add("circle", f"{cls} dot", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4.5)

    def text(self, x, y, text, cls="", anchor="start", turn=False):
        more = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text class="{cls}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
                          f'{more}>{html.escape(text)}</text>')

    def write(self, path):
        body = "\n".join(self.parts)
        with open(path, "w", encoding="utf-8") as f:
            f.write('<!-- SPDX-License-Identifier: BSD-3-Clause -->\n')
            f.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} '
                    f'{self.height}" width="{self.width}" height="{self.height}" role="img">\n'
                    f"<title>{html.escape(self.title)}</title>\n<style>{STYLE}</style>\n"
                    f"{body}\n</svg>\n")


def count(n):
    """8000000 as people write it."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if n >= size:
            return f"{n / size:g} {unit}"
    return f"{n:g}"


def ticks(most, about=6):
    """Round numbers from 0 to not less than most."""
    step = 10 ** math.floor(math.log10(most / about))
    step *= next(k for k in (1, 2, 5, 10) if k * step * about >= most)
    return [i * step for i in range(int(math.ceil(most / step - 1e-9)) + 1)]


def spread(labels, gap):
    """Moves labels (y, ...) apart that stand too close, keeping their order."""
    labels = sorted(labels)
    for _ in range(100):
        moved = False
        for i in range(len(labels) - 1):
            near = gap - (labels[i + 1][0] - labels[i][0])
            if near > 0.01:
                labels[i] = (labels[i][0] - near / 2,) + labels[i][1:]
                labels[i + 1] = (labels[i + 1][0] + near / 2,) + labels[i + 1][1:]
                moved = True
        if not moved:
            break
    return labels


def cost_by_flows(path, title, note, series, limit):
    """series: (label, class, is a floor, {flows: ns}); limit: (label, {flows: ns}) or None."""
    pic = Picture(820, 460, title, note)
    left, right, top, bottom = 74, 630, 82, 400
    flows = sorted({f for s in series for f in s[3]})
    marks = ticks(max(max(s[3].values()) for s in series + ([limit[:1] + ("", 0) + limit[1:]]
                                                           if limit else [])) * 1.02)
    low, high = math.log10(flows[0]), math.log10(flows[-1])

    def x(f):
        return left + (math.log10(f) - low) / ((high - low) or 1) * (right - left)

    def y(ns):
        return bottom - ns / marks[-1] * (bottom - top)

    for m in marks:
        pic.line(left, y(m), right, y(m), "axis" if m == 0 else "grid")
        pic.text(left - 10, y(m) + 4.5, f"{m:g}", "num", "end")
    for f in flows:
        pic.line(x(f), bottom, x(f), bottom + 5, "axis")
        pic.text(x(f), bottom + 22, count(f), "num", "middle")
    pic.text((left + right) / 2, bottom + 46, "flows in the table (logarithmic)", "note", "middle")
    pic.text(26, (top + bottom) / 2, "time, ns per packet", "note", "middle", turn=True)
    labels = []
    if limit:
        pic.path([(x(f), y(v)) for f, v in sorted(limit[1].items())], "bar")
        last = max(limit[1])
        labels.append((y(limit[1][last]), limit[0], "note", limit[1][last]))
    for label, cls, floor, values in series:
        points = [(x(f), y(v)) for f, v in sorted(values.items())]
        pic.path(points, f"{cls} {'floor' if floor else 'line'}")
        for p in points if not floor else []:
            pic.dot(p[0], p[1], cls)
        labels.append((points[-1][1], label, "" if floor else "strong", values[max(values)]))
    for at, label, cls, value in spread(labels, 19):
        pic.text(right + 14, at + 4.5, f"{label}  {value:.0f}", f"{cls} num")
    pic.write(path)


def stages(path, title, note, names, rows):
    """names: of the parts; rows: (flows, [(label, [ns of each part], strong)])."""
    tall = {True: 24, False: 16}  # of a bar: strong or not
    height = 174 + sum(12 + sum(tall[strong] + 8 for _, _, strong in r[1]) for r in rows)
    pic = Picture(820, height, title, note)
    left, right, at = 178, 770, 84
    most = max(sum(values) for r in rows for _, values, _ in r[1])
    marks = ticks(most * 1.08)

    def x(ns):
        return left + ns / marks[-1] * (right - left)

    place = 24
    for i, name in enumerate(names):
        pic.rect(place, at - 10, 12, 12, f"s{i}", rx=2)
        pic.text(place + 18, at, name)
        place += 18 + 7.2 * len(name) + 26
    at += 22
    bottom = height - 56
    for m in marks:
        pic.line(x(m), at, x(m), bottom, "axis" if m == 0 else "grid")
        pic.text(x(m), bottom + 20, f"{m:g}", "num", "middle")
    pic.text((left + right) / 2, bottom + 43, "time, ns per packet", "note", "middle")
    for flows, group in rows:
        at += 12
        pic.text(24, at + 17, f"{count(flows)} flows", "strong")
        for label, values, strong in group:
            pic.text(left - 12, at + tall[strong] / 2 + 4.5, label, "" if strong else "note", "end")
            begin = 0
            for i, v in enumerate(values):
                if v <= 0:
                    continue
                wide = x(begin + v) - x(begin)
                pic.rect(x(begin), at, max(wide - 1.5, 0.5), tall[strong], f"s{i}", rx=1.5)
                if strong and wide > 30:
                    pic.text(x(begin) + wide / 2 - 0.75, at + 16.5, f"{v:.0f}", "in num", "middle")
                begin += v
            pic.text(x(begin) + 8, at + tall[strong] / 2 + 4.5, f"{begin:.0f}",
                     "strong num" if strong else "note num")
            at += tall[strong] + 8
    pic.write(path)
