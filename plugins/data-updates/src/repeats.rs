//! OPAL's server sends an update once for each of its topics that the agent is subscribed to. It counts once.

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};

/// Updates that are remembered.
const MOST: usize = 64;

/// The updates that came last, and on which topics.
#[derive(Default)]
pub(crate) struct Repeats(VecDeque<([u8; 32], Vec<String>)>);

impl Repeats {
    /// Whether the update has come before on other topics, but not on this one. What comes twice on one topic was published
    /// twice.
    pub(crate) fn is_repeat(&mut self, topic: &str, update: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(update.as_bytes()).into();
        let known =
            self.0.iter_mut().find(|(known, topics)| *known == digest && !topics.iter().any(|known| known == topic));
        if let Some((_, topics)) = known {
            topics.push(topic.to_owned());
            return true;
        }
        self.0.retain(|(known, _)| *known != digest);
        self.0.truncate(MOST - 1);
        self.0.push_front((digest, vec![topic.to_owned()]));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_counts_once_however_many_topics_bring_it() {
        let mut repeats = Repeats::default();
        let mut told = |topic: &str, update: &str| repeats.is_repeat(topic, update);
        assert!(!told("a", "1") && told("b", "1") && told("c", "1"));
        assert!(!told("a", "1") && told("b", "1"), "published again");
        assert!(!told("b", "2") && !told("b", "2") && !told("b", "2"), "one topic");
        assert!(!told("b", "3") && told("a", "3"));
        (0..MOST).for_each(|n| assert!(!told("a", &format!("x{n}"))));
        assert!(!told("c", "3"), "forgotten");
    }
}
