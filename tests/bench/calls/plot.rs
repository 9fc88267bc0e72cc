//! Curves as SVG, side by side.

use std::fmt::Write as _;

use crate::report::number;

/// A curve through measured points.
#[derive(Debug)]
pub(crate) struct Curve {
    pub(crate) title: &'static str,
    /// What the points lie over.
    pub(crate) over: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
    /// Equal steps to the right are equal factors.
    pub(crate) logarithmic: bool,
}

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 220.0;
const MARGIN: f64 = 44.0;

/// All of them.
pub(crate) fn plot(curves: &[Curve]) -> String {
    let width = WIDTH * curves.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    for (n, curve) in curves.iter().enumerate() {
        draw(curve, WIDTH * n as f64, &mut svg).expect("a string takes all");
    }
    svg + "</svg>\n"
}

fn draw(Curve { title, over, points, logarithmic }: &Curve, left: f64, svg: &mut String) -> std::fmt::Result {
    let scaled = |x: f64| if *logarithmic { x.log10() } else { x };
    let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else { return Ok(()) };
    let from = if *logarithmic { scaled(*first) } else { 0.0 };
    // From zero, so that what is flat looks flat.
    let top = points.iter().map(|(_, y)| *y).fold(f64::MIN_POSITIVE, f64::max) * 1.25;
    let place = |x: f64, y: f64| {
        let right = (scaled(x) - from) / (scaled(*last) - from);
        (left + MARGIN + right * (WIDTH - 2.0 * MARGIN), HEIGHT - MARGIN - y / top * (HEIGHT - 2.0 * MARGIN))
    };
    let (x0, y0) = (left + MARGIN, HEIGHT - MARGIN);
    writeln!(svg, "<text x=\"{}\" y=\"20\" text-anchor=\"middle\">{title}</text>", left + WIDTH / 2.0)?;
    writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{over}</text>", left + WIDTH / 2.0, HEIGHT - 8.0)?;
    writeln!(svg, "<path d=\"M {x0} {MARGIN} V {y0} H {}\" fill=\"none\" stroke=\"#888\"/>", left + WIDTH - MARGIN)?;
    let path: Vec<String> = points.iter().map(|(x, y)| place(*x, *y)).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    writeln!(svg, "<path d=\"M {}\" fill=\"none\" stroke=\"#06c\" stroke-width=\"2\"/>", path.join(" L "))?;
    for (x, y) in points {
        let (right, down) = place(*x, *y);
        writeln!(svg, "<circle cx=\"{right:.1}\" cy=\"{down:.1}\" r=\"3\" fill=\"#06c\"/>")?;
        writeln!(svg, "<text x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>", down - 8.0, number(*y))?;
        writeln!(svg, "<text x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{x}</text>", y0 + 15.0)?;
    }
    Ok(())
}
