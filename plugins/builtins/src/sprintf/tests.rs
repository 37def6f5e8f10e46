use super::super::testing::check;

fn formats(cases: &[(&str, &str, &str)]) {
    for (format, arguments, expected) in cases {
        let operands = format!("[{}, [{arguments}]]", regent_core::value::encode(&(*format).into()));
        check("sprintf", &operands, &regent_core::value::encode(&(*expected).into()));
    }
}

#[test]
fn integers() {
    formats(&[
        ("%d|%5d|%-5d|%05d|%+d|% d", "1, 2, 3, 4, 5, 6", "1|    2|3    |00004|+5| 6"),
        ("%v %x %X %o %O %b", "-5, 255, 255, 8, 8, 5", "-5 ff FF 10 0o10 101"),
        ("%#x %#X %#o %#b %#v", "255, 255, 8, 5, 7", "0xff 0XFF 010 0b101 7"),
        ("%.3d|%6.3d|%06.3d|%.0d|%+05d|%-05d|", "7, 7, 7, 0, 7, 7", "007|   007|   007||+0007|7    |"),
        ("%c %q %U %#U %+q", "65, 65, 65, 128512, 233", "A 'A' U+0041 U+1F600 '😀' '\\u00e9'"),
        ("%c|%c", "-1, 1114112", "\u{fffd}|\u{fffd}"),
        ("%s %t %f", "1, 2, 3", "%!s(int=1) %!t(int=2) %!f(int=3)"),
        ("%5s", "1", "%!s(int=    1)"),
    ]);
}

#[test]
fn big_integers() {
    let big = "123456789123456789123";
    formats(&[
        ("%d %s %v", &format!("{big}, {big}, -{big}"), &format!("{big} {big} -{big}")),
        ("%x|%#X|%+d", &format!("{big}, {big}, {big}"), &format!("6b14e9f9b0df36a83|0X6B14E9F9B0DF36A83|+{big}")),
        ("%25d|%-25d|%025d", &format!("{big}, {big}, {big}"), &format!("    {big}|{big}    |0000{big}")),
        ("%f", big, &format!("%!f(big.Int={big})")),
        ("", big, &format!("%!(EXTRA *big.Int={big})")),
    ]);
}

#[test]
fn floats() {
    formats(&[
        ("%v %v %v %v %v", "1.5, 1e2, 1234567.5, 1e-7, 0.0001", "1.5 100 1.2345675e+06 1e-07 0.0001"),
        (
            "%f %.2f %8.3f|%-8.1f|%08.2f|%+.1f",
            "1.5, 3.14159, 3.14159, 2.5, -2.5, 2.5",
            "1.500000 3.14    3.142|2.5     |-0002.50|+2.5",
        ),
        ("%e %E %.2e", "123456.789, 1.5, 0.00012", "1.234568e+05 1.500000E+00 1.20e-04"),
        ("%g %G %.3g %.10g", "1e21, 1e-10, 1234.5678, 123456.0", "1e+21 1E-10 1.23e+03 123456"),
        ("%#g %#.3g %#v", "1.5, 1.0, 1.5", "1.50000 1.00 1.5"),
        ("%x %X %.2x %b", "1.5, 255.5, 1.999, 1.5", "0x1.8p+00 0X1.FFP+07 0x1.00p+01 6755399441055744p-52"),
        ("%d %s %t", "1.5, 1.0, 2.5", "%!d(float64=1.5) %!s(float64=1) %!t(float64=2.5)"),
        ("%v %d", "1e400, 1e400", "1e400 %!d(string=1e400)"),
    ]);
}

#[test]
fn strings_and_all_else() {
    formats(&[
        ("%s|%5s|%-5s|%05s|%.2s|%5.1s|", r#""é", "é", "é", "é", "éab", "éab""#, "é|    é|é    |0000é|éa|    é|"),
        ("%q %#q %+q %#v", r#""a\"b", "a", "é", "x""#, "\"a\\\"b\" `a` \"\\u00e9\" \"x\""),
        (
            "%x %X % x %#x %# X|%8x|%.1x",
            r#""hi", "hi", "hi", "hi", "hi", "hi", "hi""#,
            "6869 6869 68 69 0x6869 0X68 0X69|    6869|68",
        ),
        ("%v %s", r#"{"a": [1, null, true]}, {"$set": []}"#, "{\"a\": [1, null, true]} set()"),
        ("%d %t", r#""x", true"#, "%!d(string=x) %!t(string=true)"),
        ("%T %T %T %T", r#"1, 1.5, "x", 123456789123456789123"#, "int float64 string *big.Int"),
    ]);
}

#[test]
fn wrong_formats() {
    formats(&[
        ("%d %d", "1", "1 %!d(MISSING)"),
        ("%%|%", "", "%|%!(NOVERB)"),
        ("a", r#"1, "x", [2]"#, "a%!(EXTRA int=1, string=x, string=[2])"),
        ("%z %!", "1, 2", "%!z(int=1) %!!(int=2)"),
        ("%é", "1", "%!é(int=1)"),
        ("%w", "1", "%!w(int=1)"),
    ]);
}

#[test]
fn indexes_and_stars() {
    formats(&[
        ("%[2]d %[1]d", "1, 2", "2 1"),
        ("%[2]*[1]d|%[3]*.[2]*[1]f|", "12, 5, 8", "   12|%!f(int=   00012)|"),
        ("%*d|%-*d|%*d|", "4, 1, 4, 2, -4, 3", "   1|2   |3   |"),
        ("%.*f", "2, 1.236", "1.24"),
        ("%[3]d %[x]d %[0]d %[", "1, 2", "%!d(BADINDEX) %!d(BADINDEX) %!d(BADINDEX) %!(NOVERB)"),
        ("%[1]2d", "1", "%!d(BADINDEX)"),
        ("%*d", r#""x", 1"#, "%!(BADWIDTH)1"),
        ("%.*d", "-1, 1", "%!(BADPREC)1"),
        ("%[1]d", "1, 2", "1"),
    ]);
}
