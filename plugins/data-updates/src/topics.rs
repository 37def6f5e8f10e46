//! Topics: plain strings, of which a slash makes a hierarchy when they are published to.

use std::collections::BTreeSet;

/// The topics that a publication to one goes out on: itself and all that it lies below. What is before the last colon is a
/// name space, which stays whole.
///
/// `eu:users/keys` goes out on `eu:users` and `eu:users/keys`.
pub fn expand(topic: &str) -> impl Iterator<Item = &str> {
    let name = topic.rfind(':').map_or(0, |colon| colon + 1);
    let ends = topic[name..].match_indices('/').map(move |(at, _)| name + at);
    ends.chain([topic.len()]).map(|end| &topic[..end])
}

/// The topics that publications to any of these go out on, each once, in the order in which they come up.
pub fn expand_all(topics: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for topic in topics.iter().flat_map(|topic| expand(topic)) {
        if !all.iter().any(|known| known == topic) {
            all.push(topic.to_owned());
        }
    }
    all
}

/// The topics of directories: those within another one are left out, since what changes there is news of that one too.
pub(crate) fn of_directories(directories: &[String]) -> Vec<String> {
    let clean = |directory: &String| {
        let parts = directory.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
        let root = if directory.starts_with('/') { "/" } else { "" };
        format!("{root}{parts}")
    };
    let all: BTreeSet<String> = directories.iter().map(clean).collect();
    let is_within = |inner: &str, outer: &str| {
        outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    let outermost = all.iter().filter(|inner| !all.iter().any(|outer| outer != *inner && is_within(inner, outer)));
    outermost.map(|directory| format!("policy:{}", if directory.is_empty() { "." } else { directory })).collect()
}

/// Whether something that is published there is about policy.
pub(crate) fn is_policy(topic: &str) -> bool {
    topic.starts_with("policy:") || topic.contains(":policy:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_goes_out_on_all_that_its_topic_lies_below() {
        let cases: [(&str, &[&str]); 9] = [
            ("policy_data", &["policy_data"]),
            ("a/b/c", &["a", "a/b", "a/b/c"]),
            ("eu:policy_data/users", &["eu:policy_data", "eu:policy_data/users"]),
            ("x:y:z/w", &["x:y:z", "x:y:z/w"]),
            ("a/b:c/d", &["a/b:c", "a/b:c/d"]),
            ("/lead", &["", "/lead"]),
            ("trail/", &["trail", "trail/"]),
            ("a//b", &["a", "a/", "a//b"]),
            ("", &[""]),
        ];
        for (topic, published) in cases {
            assert_eq!(expand(topic).collect::<Vec<_>>(), published, "{topic}");
        }
        let topics = ["a/b", "a/c"].map(str::to_owned);
        assert_eq!(expand_all(&topics), ["a", "a/b", "a/c"]);
    }

    #[test]
    fn directories_within_others_have_no_topics_of_their_own() {
        let cases: [(&[&str], &[&str]); 7] = [
            (&["."], &["policy:."]),
            (&["billing", "common"], &["policy:billing", "policy:common"]),
            (&["billing/deep", "billing"], &["policy:billing"]),
            (&[".", "billing"], &["policy:."]),
            (&["a/b", "a/c", "a/bc"], &["policy:a/b", "policy:a/bc", "policy:a/c"]),
            (&["a//b", "./a"], &["policy:a"]),
            (&["/a"], &["policy:/a"]),
        ];
        for (directories, expected) in cases {
            let directories: Vec<String> = directories.iter().map(ToString::to_string).collect();
            assert_eq!(of_directories(&directories), expected, "{directories:?}");
        }
        assert!(is_policy("policy:.") && is_policy("acme:policy:a") && !is_policy("policy_data"));
    }
}
