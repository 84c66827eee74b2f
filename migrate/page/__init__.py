"""The report as one HTML page, for who decides on an import: of `migrate report`, and left by each command.

`gathered` reads from a checkpoint all that the page shows, section by section (`days`, `holes`, `names`, `shares`,
`clusters`, `rejected`, `zones`, `sending`, `provenance`); `findings` says what of it stands out. `calendar` and
`sparks` make geometry of numbers, `render` makes the page of all that with the templates beside it, and `written` puts
it in its place. Text that strangers wrote goes through `letters`, and through Jinja2's escapes.

Data goes one way: checkpoint → values → findings, geometry → HTML. The page asks no clock and no source, so that the
same workdir is the same page. It needs no network and no script.

Pictures are SVG, written by hand. A plotting library weighs more than all we have: matplotlib with what it needs is
190 MB, and its SVG of the days of ten years, an element for each, 876 kB, where the whole page may have 500. A path of
strokes without length has 7 bytes a day.
"""
