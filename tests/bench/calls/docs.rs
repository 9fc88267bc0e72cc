//! What `--write` puts into docs/performance.md: tables, each between two marks, and the curves beside it.

use anyhow::Context;
use end_to_end::workspace;

const FOLDER: &str = "docs";
const PAGE: &str = "performance.md";
const PICTURE: &str = "growth.svg";

/// Puts this in place of what stands between the marks of that name.
pub(crate) fn replace(name: &str, text: &str) -> anyhow::Result<()> {
    let path = workspace::root().join(FOLDER).join(PAGE);
    let page = std::fs::read_to_string(&path).context(PAGE)?;
    let (begin, end) = (format!("<!-- {name}: begin -->"), format!("<!-- {name}: end -->"));
    let parted = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) = parted.with_context(|| format!("{PAGE} has no place for {name}: {begin} … {end}"))?;
    std::fs::write(&path, format!("{before}{begin}\n{}\n{end}{after}", text.trim_end())).context(PAGE)
}

/// Puts the curves beside it.
pub(crate) fn draw(svg: &str) -> anyhow::Result<()> {
    std::fs::write(workspace::root().join(FOLDER).join(PICTURE), svg).context(PICTURE)
}
