//! Who the agent says it is.

/// The version of OPA that Regent is compatible with. Services look at it, so requests carry it and not Regent's own.
pub const OPA_VERSION: &str = "1.19.0";

/// The `User-Agent` of requests to services, in OPA's form: `Open-Policy-Agent/1.19.0 (linux, amd64)`.
pub fn user_agent() -> String {
    let os = go_name(std::env::consts::OS);
    let arch = go_name(std::env::consts::ARCH);
    format!("Open-Policy-Agent/{OPA_VERSION} ({os}, {arch})")
}

/// Go's name for what Rust calls an operating system or architecture.
fn go_name(name: &'static str) -> &'static str {
    match name {
        "macos" => "darwin",
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_have_gos_names() {
        assert_eq!((go_name("x86_64"), go_name("macos"), go_name("linux")), ("amd64", "darwin", "linux"));
        assert!(user_agent().starts_with("Open-Policy-Agent/1."));
    }
}
