//! Topics: plain strings, of which a slash makes a hierarchy when they are published to.

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
}
