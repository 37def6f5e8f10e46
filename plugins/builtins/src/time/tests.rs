use super::super::testing::{NOW, check, check_error};

#[test]
fn times_are_written() {
    for (operand, expected) in [
        (format!("{NOW}"), "2022-12-02T18:40:53.141828752Z"),
        (format!("[{NOW}, \"Asia/Kolkata\"]"), "2022-12-03T00:10:53.141828752+05:30"),
        (format!("[{NOW}, \"Asia/Kolkata\", \"Mon Jan 02 15:04:05 -0700 2006\"]"), "Sat Dec 03 00:10:53 +0530 2022"),
        (format!("[{NOW}, \"Asia/Kolkata\", \"RFC1123Z\"]"), "Sat, 03 Dec 2022 00:10:53 +0530"),
        (format!("[{NOW}, \"America/New_York\", \"UnixDate\"]"), "Fri Dec  2 13:40:53 EST 2022"),
        (
            format!("[{NOW}, \"\", \"January 2 __2 002 06 3:4:5 pm .000 .999 ,00 Janet Z0700 _2006\"]"),
            "December 2 336 336 22 6:40:53 pm .141 .141 ,14 Janet Z _2022",
        ),
        ("[0, \"UTC\", \".999 Z07:00:00 MST\"]".to_owned(), " Z UTC"),
    ] {
        check("time.format", &format!("[{operand}]"), &format!("\"{expected}\""));
    }
}

#[test]
fn times_are_read() {
    for (layout, value, expected) in [
        ("RFC3339", "2017-06-02T19:00:00-07:00", 1_496_455_200_000_000_000),
        ("2006-01-02T15:04:05Z07:00", "2262-04-11T23:47:16.854775807-00:00", i64::MAX),
        ("2006-01-02T15:04:05Z07:00", "1677-09-21T00:12:43.145224192Z", i64::MIN),
        ("RFC822", "01 Jan 70 00:01 MST", 60_000_000_000),
        ("ANSIC", "thu jan  1 00:00:01 1970", 1_000_000_000),
        ("2006-002 3PM", "1970-032 12AM", 2_678_400_000_000_000),
        ("15:04:05,000 -07 2006", "01:00:00,250 +01 1970", 250_000_000),
    ] {
        check("time.parse_ns", &format!("[\"{layout}\", \"{value}\"]"), &expected.to_string());
    }
    check("time.parse_rfc3339_ns", r#"["1970-01-01T00:00:00.5Z"]"#, "500000000");
}

#[test]
fn wrong_times_are_told_as_go_does() {
    let day = "2006-01-02";
    for (layout, value, error) in [
        (day, "2020-02-30", r#"parsing time "2020-02-30": day out of range"#),
        (day, "2020-13-01", r#"parsing time "2020-13-01": month out of range"#),
        (day, "2020-1-01", r#"parsing time "2020-1-01" as "2006-01-02": cannot parse "1-01" as "01""#),
        (day, "2020/01/01", r#"parsing time "2020/01/01" as "2006-01-02": cannot parse "/01/01" as "-""#),
        (day, "2020-01-01x", r#"parsing time "2020-01-01x": extra text: "x""#),
        (day, "é", r#"parsing time "\xc3\xa9" as "2006-01-02": cannot parse "\xc3\xa9" as "2006""#),
        ("RFC3339", "1677-09-21T00:12:43.145224191Z", "time outside of valid range"),
        (
            "RFC3339",
            "9999-01-01T00:00:00+25:00",
            r#"parsing time "9999-01-01T00:00:00+25:00": time zone offset hour out of range"#,
        ),
    ] {
        check_error("time.parse_ns", &format!("[\"{layout}\", \"{value}\"]"), error);
    }
}

#[test]
fn durations() {
    for (text, expected) in [
        ("100ms", "100000000"),
        ("-1.5h", "-5400000000000"),
        ("1h1m1s1us1ns", "3661000001001"),
        (".5µs", "500"),
        ("0", "0"),
    ] {
        check("time.parse_duration_ns", &format!("[\"{text}\"]"), expected);
    }
    for (text, error) in [
        ("", "time: invalid duration \"\""),
        ("5", "time: missing unit in duration \"5\""),
        ("5x", "time: unknown unit \"x\" in duration \"5x\""),
        ("9999999h", "time: invalid duration \"9999999h\""),
    ] {
        check_error("time.parse_duration_ns", &format!("[\"{text}\"]"), error);
    }
}

#[test]
fn dates_and_clocks() {
    check("time.now_ns", "[]", &NOW.to_string());
    check("time.date", "[1582977600000000000]", "[2020,2,29]");
    check("time.clock", r#"[[1517832000000000000, "America/New_York"]]"#, "[7,0,0]");
    check("time.weekday", "[1517832000000000000]", "\"Monday\"");
    check_error("time.date", "[1582977600000000000000]", "timestamp too big");
    check_error("time.date", "[1.5]", "timestamp too big");
    check_error("time.date", r#"[[1, "Nowhere/Land"]]"#, "unknown time zone Nowhere/Land");
    check_error(
        "time.date",
        r#"["x"]"#,
        "operand 1 must be either number (ns) or [number (ns), string (tz)] but got string",
    );
    check_error("time.date", r"[[1, 2]]", "operand 1 must be string but got number");
}

#[test]
fn dates_are_added_and_compared() {
    check("time.add_date", "[1585852421593912000, 3, 9, 12]", "1705257221593912000");
    check("time.add_date", "[1585852421593912000, -1, -1, -1]", "1551465221593912000");
    check_error("time.add_date", "[0, 2262, 1, 1]", "time outside of valid range");
    check_error("time.add_date", "[-9223372036854775808, 0, 0, -1]", "time outside of valid range");
    check_error("time.add_date", "[0, 9223372036854775807, 0, 0]", "time outside of valid range");
    check("time.diff", "[61000000000, 0]", "[0,0,0,0,1,1]");
    check("time.diff", r#"[[0, "UTC"], [60000000000, "Asia/Shanghai"]]"#, "[0,0,0,0,1,0]");
    // From 2020-02-02 to 2020-03-01, and the same in 2021.
    check("time.diff", "[1580601600000000000, 1583020800000000000]", "[0,0,28,0,0,0]");
    check("time.diff", "[1612224000000000000, 1614556800000000000]", "[0,0,27,0,0,0]");
}
