//! Tables for people: `+----+` borders, centred heads, cells wrapped at 30 columns.

use std::collections::BTreeSet;

use regent_core::Value;
use regent_core::engine::{Answer, Row};
use regent_core::value::encode;

/// Columns after which a cell wraps at the next blank.
const WRAP: usize = 30;

/// The rows of an answer: bindings by name, then expressions that are more than `true`.
pub(super) fn of_answer(answer: &Answer, limit: usize) -> String {
    let names: BTreeSet<&str> =
        answer.rows.iter().flat_map(|row| row.bindings.iter().map(|(name, _)| &**name)).collect();
    let telling = |index: &usize| {
        answer.rows.iter().any(|row| row.expressions.get(*index).is_some_and(|e| e.value.as_bool() != Some(true)))
    };
    let expressions = answer.rows.first().map_or(0, |row| row.expressions.len());
    let columns: Vec<usize> = (0..expressions).filter(telling).collect();
    let text = |index: &usize| answer.rows.first().map(|row| row.expressions[*index].text.to_string());
    let heads: Vec<String> =
        names.iter().map(|name| (*name).to_owned()).chain(columns.iter().filter_map(text)).collect();
    let cells = |row: &Row| {
        let bound = |name: &&str| row.bindings.iter().find(|(known, _)| **known == **name).map(|(_, value)| value);
        let values = names.iter().map(bound).chain(columns.iter().map(|&i| row.expressions.get(i).map(|e| &e.value)));
        values.map(|value| value.map_or_else(String::new, |value| cut(&encode(value), limit))).collect()
    };
    render(&heads, &answer.rows.iter().map(cells).collect::<Vec<_>>())
}

/// Measurements by name.
pub(super) fn of_metrics(metrics: &Value) -> String {
    let entries = metrics.as_object().cloned().unwrap_or_default();
    let row = |(name, value): (&Value, &Value)| vec![name.as_str().unwrap_or_default().to_owned(), encode(value)];
    render(&["metric".to_owned(), "value".to_owned()], &entries.iter().map(row).collect::<Vec<_>>())
}

fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() > limit {
        let shown: String = text.chars().take(limit).collect();
        format!("{shown}...")
    } else {
        text.to_owned()
    }
}

fn render(heads: &[String], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<Vec<String>>> = rows.iter().map(|row| row.iter().map(|cell| wrap(cell)).collect()).collect();
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| {
            let cells = rows.iter().flat_map(|row| row[column].iter()).map(|line| width(line));
            cells.chain([width(&heads[column])]).max().unwrap_or(0)
        })
        .collect();
    let border = line(widths.iter().map(|width| "-".repeat(*width)), "+", "-");
    let mut out = border.clone();
    out.push_str(&line(heads.iter().zip(&widths).map(|(head, width)| format!("{head:^width$}")), "|", " "));
    out.push_str(&border);
    for row in &rows {
        for number in 0..row.iter().map(Vec::len).max().unwrap_or(0) {
            let text = |cell: &Vec<String>| cell.get(number).cloned().unwrap_or_default();
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{:width$}", text(cell)));
            out.push_str(&line(cells, "|", " "));
        }
    }
    out + &border
}

/// One line of a table: cells with padding at both sides, between separators.
fn line(cells: impl Iterator<Item = String>, separator: &str, padding: &str) -> String {
    let between = format!("{padding}{separator}{padding}");
    let cells = cells.collect::<Vec<_>>().join(&between);
    format!("{separator}{padding}{cells}{padding}{separator}\n")
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn wrap(cell: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in cell.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if width(last) + 1 + width(word) <= WRAP {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use regent_core::engine::{Expression, Location};

    #[test]
    fn bindings_and_telling_expressions_make_columns_that_wrap() {
        let expression = |value: Value| Expression { value, text: "e".into(), location: Location::default() };
        let why = "role \"clerk\" may not DELETE /orders/42";
        let row = Row {
            bindings: vec![("why".into(), why.into()), ("n".into(), 38_i64.into())],
            expressions: vec![expression(true.into())],
        };
        let expected = concat!(
            "+----+--------------------------------+\n",
            "| n  |              why               |\n",
            "+----+--------------------------------+\n",
            "| 38 | \"role \\\"clerk\\\" may not DELETE |\n",
            "|    | /orders/42\"                    |\n",
            "+----+--------------------------------+\n",
        );
        assert_eq!(of_answer(&Answer { rows: vec![row] }, 80), expected);
    }
}
