//! Ranges of IP addresses.

mod cidr;

use cidr::Cidr;
use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::value::{Value, View};

use super::bounds;
use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[
    function(
        "net.cidr_intersects(cidr1: string, cidr2: string) => result: boolean",
        "Tells whether two ranges have an address in common.",
        |operands, _| {
            let (one, other) = (parse(operands.any(0))?, parse(operands.any(1))?);
            Ok(Some((one.contains(&other) || other.contains(&one)).into()))
        },
    ),
    function("net.cidr_expand(cidr: string) => hosts: set[string]", "Gives all addresses of a range.", expand),
    function(
        "net.cidr_contains(
            cidr: string, # CIDR to check against
            cidr_or_ip: string # CIDR or IP to check
        ) => result: boolean # `true` if `cidr_or_ip` is contained within `cidr`",
        "Checks if a CIDR or IP is contained within another CIDR. `output` is `true` if `cidr_or_ip` (e.g. `127.0.0.64/26` or `127.0.0.1`) is contained within `cidr` (e.g. `127.0.0.1/24`) and `false` otherwise. Supports both IPv4 and IPv6 notations.",
        contains,
    ),
    function(
        "net.cidr_contains_matches(cidrs: any<string, array[any<string, array[any]>], object[string: any<string, array[any]>], set[any<string, array[any]>]>, cidrs_or_ips: any<string, array[any<string, array[any]>], object[string: any<string, array[any]>], set[any<string, array[any]>]>) => output: set[array<any, any>]",
        "Finds which of several addresses or ranges lie within which of several ranges.",
        contains_matches,
    ),
    function(
        "net.cidr_merge(addrs: any<array[any<string>], set[string]>) => output: set[string]",
        "Joins addresses and ranges into as few ranges as possible.",
        merge,
    ),
    function(
        "net.cidr_is_valid(cidr: string) => result: boolean",
        "Tells whether a string is a range of addresses.",
        |operands, _| Ok(Some(operands.any(0).as_str().and_then(Cidr::parse).is_some().into())),
    ),
    function("net.cidr_overlap(string, string) => boolean", "", contains).deprecated(),
];

/// How many addresses are made between two looks at the cancel signal.
const PATIENCE: usize = 1 << 10;

/// A range; whichever operand it is, OPA calls it the first.
fn parse(value: &Value) -> Result<Cidr, BuiltinError> {
    let text = text(value)?;
    Cidr::parse(text).ok_or_else(|| BuiltinError::failed(format!("invalid CIDR address: {text}")))
}

fn text(value: &Value) -> Result<&str, BuiltinError> {
    let error = || BuiltinError::operand(0, format_args!("must be string but got {}", value.type_name()));
    value.as_str().ok_or_else(error)
}

fn lies_within(range: &Value, inner: &Value) -> Result<bool, BuiltinError> {
    let range = parse(range)?;
    let inner = text(inner)?;
    let parsed = Cidr::address(inner).or_else(|| Cidr::parse(inner)).ok_or_else(|| {
        BuiltinError::failed(format!("not a valid textual representation of an IP address or CIDR: {inner}"))
    })?;
    Ok(range.contains(&parsed))
}

fn contains(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    Ok(Some(lies_within(operands.any(0), operands.any(1))?.into()))
}

/// The ranges of an operand, each with what stands for it in the result.
fn listed<'a>(operands: Operands<'a>, position: usize) -> Result<Vec<(&'a Value, Value)>, BuiltinError> {
    let range = |item: &'a Value| match item.view() {
        View::String(_) => Ok(item),
        View::Array([first, ..]) => Ok(first),
        _ => Err(BuiltinError::failed(format!("operand {}: element must be string or non-empty array", position + 1))),
    };
    let operand = operands.any(position);
    match operand.view() {
        View::String(_) => Ok(vec![(operand, operand.clone())]),
        View::Array(items) => items.iter().zip(0_i64..).map(|(item, at)| Ok((range(item)?, at.into()))).collect(),
        View::Set(members) => members.iter().map(|member| Ok((range(member)?, member.clone()))).collect(),
        View::Object(entries) => entries.iter().map(|(key, value)| Ok((range(value)?, key.clone()))).collect(),
        _ => Ok(Vec::new()),
    }
}

fn contains_matches(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let ranges = listed(operands, 0)?;
    // Without ranges, nobody looks at what might lie in them.
    let inner = if ranges.is_empty() { Vec::new() } else { listed(operands, 1)? };
    let mut found: Vec<Value> = Vec::new();
    for (range, range_index) in &ranges {
        for (inner, inner_index) in &inner {
            if call.cancel.is_cancelled() {
                return Err(BuiltinError::Cancelled);
            }
            if lies_within(range, inner)? {
                found.push(Value::array([range_index.clone(), inner_index.clone()]));
            }
        }
    }
    Ok(Some(Value::set(found)))
}

fn expand(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let text = operands.string(0)?;
    let range = Cidr::parse(text).ok_or_else(|| BuiltinError::failed(format!("invalid CIDR address: {text}")))?;
    let mut addresses: Vec<Value> = Vec::new();
    for (index, address) in range.addresses().enumerate() {
        if index.is_multiple_of(PATIENCE) && call.cancel.is_cancelled() {
            return Err(BuiltinError::Cancelled);
        }
        bounds::items(index)?;
        addresses.push(address.into());
    }
    Ok(Some(Value::set(addresses)))
}

fn merge(operands: Operands<'_>, _: &mut Call<'_>) -> Outcome {
    let range = |item: &Value| {
        let text = item.as_str().ok_or_else(|| BuiltinError::failed("element must be string"))?;
        match Cidr::address(text) {
            Some(address) => {
                address.of_class().ok_or_else(|| BuiltinError::failed("IPv6 invalid: needs prefix length"))
            }
            None => Cidr::parse(text).ok_or_else(|| BuiltinError::failed(format!("invalid CIDR address: {text}"))),
        }
    };
    let ranges: Result<Vec<Cidr>, BuiltinError> = match operands.any(0).view() {
        View::Array(items) => items.iter().map(range).collect(),
        View::Set(members) => members.iter().map(range).collect(),
        _ => return Err(BuiltinError::failed("operand must be an array")),
    };
    Ok(Some(Value::set(cidr::merge(ranges?).iter().map(ToString::to_string))))
}

#[cfg(test)]
mod tests {
    use regent_core::builtin::BuiltinError;

    use super::super::testing::{Query, check, check_error};

    #[test]
    fn ranges_contain_addresses_and_ranges() {
        for (range, inner, expected) in [
            ("10.0.0.0/8", "192.168.1.1", false),
            ("10.0.0.0/8", "10.255.0.0/16", true),
            ("10.0.0.0/16", "10.0.0.0/8", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("2001:4860::/32", "2001:4860:4860:1234::8888/40", true),
            ("2001:4860::/96", "2001:4860::/32", false),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "1.2.3.4", false),
        ] {
            check("net.cidr_contains", &format!("[\"{range}\", \"{inner}\"]"), &expected.to_string());
        }
        check("net.cidr_intersects", r#"["192.168.1.0/25", "192.168.1.64/25"]"#, "true");
        check("net.cidr_intersects", r#"["fd1e::/64", "2001::/32"]"#, "false");
        check_error("net.cidr_contains", r#"["x", "1.1.1.1"]"#, "invalid CIDR address: x");
        check_error(
            "net.cidr_contains",
            r#"["1.1.1.0/24", "x"]"#,
            "not a valid textual representation of an IP address or CIDR: x",
        );
    }

    #[test]
    fn matches_are_named_by_index_key_or_member() {
        check("net.cidr_contains_matches", r#"["1.1.1.0/24", "1.1.1.1"]"#, r#"[["1.1.1.0/24","1.1.1.1"]]"#);
        check(
            "net.cidr_contains_matches",
            r#"[["1.1.2.0/24", ["1.1.1.0/24", "x"]], {"a": "1.1.1.1", "b": "1.1.2.1"}]"#,
            r#"[[0,"b"],[1,"a"]]"#,
        );
        let error = "operand 2: element must be string or non-empty array";
        check_error("net.cidr_contains_matches", r#"["1.1.1.0/24", [[]]]"#, error);
    }

    #[test]
    fn ranges_expand_until_nobody_waits() {
        check(
            "net.cidr_expand",
            r#"["192.168.1.1/30"]"#,
            r#"["192.168.1.0","192.168.1.1","192.168.1.2","192.168.1.3"]"#,
        );
        check("net.cidr_expand", r#"["255.255.255.255/32"]"#, r#"["255.255.255.255"]"#);
        check("net.cidr_expand", r#"["2001:db8::ffff/127"]"#, r#"["2001:db8::fffe","2001:db8::ffff"]"#);
        check_error("net.cidr_expand", r#"["192.168.1.1/33"]"#, "invalid CIDR address: 192.168.1.1/33");
        assert_eq!(Query::cancelled().call("net.cidr_expand", r#"["::/0"]"#), Err(BuiltinError::Cancelled));
    }

    #[test]
    fn ranges_are_merged() {
        for (ranges, expected) in [
            (r#""192.0.2.112/30", "192.0.2.116/31", "192.0.2.118/31""#, r#"["192.0.2.112/29"]"#),
            (r#""192.0.129.0/24", "192.0.130.0/24""#, r#"["192.0.129.0/24","192.0.130.0/24"]"#),
            (r#""192.0.128.0", "192.0.129.0""#, r#"["192.0.128.0/23"]"#),
            (r#""192.0.2.112", "192.0.2.116/31""#, r#"["192.0.2.0/24"]"#),
            (r#""::/0", "fe80::1/128""#, r#"["::/0"]"#),
            (r#""fe80::/120", "192.0.2.0/24", "192.0.3.0/24""#, r#"["192.0.2.0/23","fe80::/120"]"#),
            (r#""192.0.2.112""#, r#"["192.0.2.112/24"]"#),
            ("", "[]"),
        ] {
            check("net.cidr_merge", &format!("[[{ranges}]]"), expected);
        }
        check_error("net.cidr_merge", r#"[["::1"]]"#, "IPv6 invalid: needs prefix length");
        check_error("net.cidr_merge", "[[1]]", "element must be string");
    }

    #[test]
    fn validity() {
        for (text, expected) in [
            ("192.168.1.0/24", "true"),
            ("", "false"),
            ("1.2.3.4", "false"),
            ("01.2.3.4/8", "false"),
            ("1.2.3.4/08", "true"),
            ("::1/129", "false"),
            ("1.2.3.4/+8", "false"),
        ] {
            check("net.cidr_is_valid", &format!("[\"{text}\"]"), expected);
        }
    }
}
