//! What a block string stands for.

/// The text without the indent that all lines but the first have in common, and without blank lines at its ends.
pub(super) fn value(raw: &str) -> String {
    let lines: Vec<&str> = raw.split('\n').collect();
    let common = lines.iter().filter_map(|line| indent(line)).min().unwrap_or_default();
    let mut lines: Vec<&str> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| if index == 0 { line } else { line.get(common..).unwrap_or("") })
        .collect();
    let first = lines.iter().position(|line| indent(line).is_some()).unwrap_or(lines.len());
    lines.drain(..first);
    while lines.last().is_some_and(|line| indent(line).is_none()) {
        lines.pop();
    }
    lines.join("\n")
}

/// How far a line is indented; a blank one is not at all.
fn indent(line: &str) -> Option<usize> {
    line.find(|character| character != ' ' && character != '\t')
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn the_common_indent_goes() {
        assert_eq!(value("\n    a\n      b\n\n    c\n  "), "a\n  b\n\nc");
        assert_eq!(value("  a\n    b"), "  a\n  b");
        assert_eq!(value("a\n  b"), "a\n  b");
        assert_eq!(value(" \n\t"), "");
    }
}
