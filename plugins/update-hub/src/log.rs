//! The log of what was published last, for peers that come back.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use regent_data_updates::rpc::Position;

use crate::config::LogLimits;
use crate::publication::Publication;

/// Most topics of which it is known up to where they are gone. Beyond that all are held for gone up to the latest of them.
const MOST_TOPICS: usize = 10_000;

/// What was published last, in order, within limits.
#[derive(Debug)]
pub(crate) struct Log {
    /// Which log the numbers count in.
    epoch: String,
    limits: LogLimits,
    kept: VecDeque<Arc<Publication>>,
    bytes: usize,
    /// The number of the latest publication.
    latest: u64,
    /// Up to where nothing is known of any topic.
    floor: u64,
    /// Up to where publications to a topic are gone.
    gone: HashMap<String, u64>,
}

impl Log {
    /// A log that begins after that number.
    pub(crate) fn new(epoch: String, after: u64, limits: LogLimits) -> Self {
        Self { epoch, limits, kept: VecDeque::new(), bytes: 0, latest: after, floor: after, gone: HashMap::new() }
    }

    pub(crate) fn position(&self) -> Position {
        Position { epoch: self.epoch.clone(), seq: self.latest }
    }

    pub(crate) fn limits(&self) -> LogLimits {
        self.limits
    }

    /// Adds what was published; what there is no room for any more goes.
    pub(crate) fn add(&mut self, publication: Arc<Publication>) {
        self.latest = publication.seq;
        self.bytes += publication.size;
        self.kept.push_back(publication);
        while self.kept.len() > self.limits.max_updates || self.bytes > self.limits.max_bytes {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.bytes -= oldest.size;
            for topic in &oldest.record.topics {
                self.gone.insert(topic.clone(), oldest.seq);
            }
            if self.gone.len() > MOST_TOPICS {
                self.gone.clear();
                self.floor = oldest.seq;
            }
        }
    }

    /// What a peer with those topics has missed since it was at the position; nothing if that is not known.
    pub(crate) fn since<'a>(
        &'a self,
        position: &Position,
        topics: &'a [String],
    ) -> Option<impl Iterator<Item = &'a Arc<Publication>> + use<'a>> {
        let is_gone = |topic: &String| self.gone.get(topic).is_some_and(|gone| *gone > position.seq);
        let is_of_this_log = position.epoch == self.epoch && (self.floor..=self.latest).contains(&position.seq);
        if !is_of_this_log || topics.iter().any(is_gone) {
            return None;
        }
        let first = self.kept.partition_point(|publication| publication.seq <= position.seq);
        let concerns =
            |publication: &&Arc<Publication>| publication.record.topics.iter().any(|topic| topics.contains(topic));
        Some(self.kept.range(first..).filter(concerns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publication::Record;
    use regent_data_updates::rpc::raw;

    fn log(max_updates: usize, max_bytes: usize) -> Log {
        Log::new("e".to_owned(), 10, LogLimits { max_updates, max_bytes })
    }

    fn add(log: &mut Log, seq: u64, topic: &str) {
        let record = Record::message(vec![topic.to_owned()], raw(&seq), None);
        log.add(Arc::new(Publication::new(seq, record, 10)));
    }

    fn since(log: &Log, epoch: &str, seq: u64, topics: &[&str]) -> Option<Vec<u64>> {
        let topics: Vec<String> = topics.iter().map(ToString::to_string).collect();
        let found = log.since(&Position { epoch: epoch.to_owned(), seq }, &topics)?;
        Some(found.map(|publication| publication.seq).collect())
    }

    #[test]
    fn what_was_missed_is_known_within_the_log() {
        let mut log = log(3, 1_000);
        assert_eq!(since(&log, "e", 10, &["a"]), Some(vec![]));
        for (seq, topic) in [(11, "a"), (12, "b"), (13, "a")] {
            add(&mut log, seq, topic);
        }
        assert_eq!(since(&log, "e", 10, &["a"]), Some(vec![11, 13]));
        assert_eq!(since(&log, "e", 11, &["a", "b"]), Some(vec![12, 13]));
        assert_eq!(since(&log, "e", 13, &["a"]), Some(vec![]));
        assert_eq!(since(&log, "other", 11, &["a"]), None);
        assert_eq!(since(&log, "e", 14, &["a"]), None, "from a future that did not come");
        assert_eq!(since(&log, "e", 9, &["a"]), None, "from before the log");
    }

    #[test]
    fn what_is_gone_counts_for_its_topics_alone() {
        let mut log = log(2, 1_000);
        for (seq, topic) in [(11, "a"), (12, "b"), (13, "b")] {
            add(&mut log, seq, topic);
        }
        assert_eq!(since(&log, "e", 10, &["a"]), None);
        assert_eq!(since(&log, "e", 10, &["b"]), Some(vec![12, 13]));
        assert_eq!(since(&log, "e", 11, &["a"]), Some(vec![]));
    }

    #[test]
    fn bytes_are_bounded_and_so_are_topics() {
        let mut log = log(1_000, 25);
        for seq in 11..14 {
            add(&mut log, seq, "a");
        }
        assert_eq!(log.kept.len(), 2);
        for seq in 14..14 + u64::try_from(MOST_TOPICS).expect("small") + 2 {
            add(&mut log, seq, &format!("t{seq}"));
        }
        assert!(log.gone.len() <= MOST_TOPICS);
        assert_eq!(since(&log, "e", 13, &["never"]), None, "nobody remembers");
    }
}
