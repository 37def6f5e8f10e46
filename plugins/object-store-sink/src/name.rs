//! How objects are named: after what is in them, so that who tries again writes the same to the same place, and no late
//! request puts less in the place of more.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use object_store::path::{Path, PathPart};
use regent_core::decision::EncodedEvent;

/// How the moment of the first decision is written.
const STAMP: &str = "%Y%m%dT%H%M%S.%6fZ";

/// Where objects lie in a store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) prefix: Path,
    /// The folders below the prefix, with the fields of the moment that `strftime` knows.
    pub(crate) partition: String,
}

impl Layout {
    /// What is wrong with the partition, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        match self.folders(Timestamp::UNIX_EPOCH) {
            Ok(folders) if folders.split('/').any(|part| matches!(part, "" | "." | "..")) && !folders.is_empty() => {
                Some("must be names of folders with `/` between them".to_owned())
            }
            Ok(_) => None,
            Err(error) => Some(format!("must be a text with fields such as `%Y`: {error}")),
        }
    }

    /// The name of the object that begins with this event and has so many. Events are in one order for good, so this is
    /// all there is to say.
    pub(crate) fn name(&self, first: &EncodedEvent, count: usize) -> Path {
        let moment = first.timestamp();
        let folders = self.folders(moment).expect("the partition has been checked");
        let folders = folders.split('/').filter(|part| !part.is_empty()).map(PathPart::from);
        let stamp = moment.to_zoned(TimeZone::UTC).strftime(STAMP);
        let object = format!("{stamp}-{}-{count}.ndjson.gz", first.decision_id());
        folders.fold(self.prefix.clone(), Path::join).join(object)
    }

    fn folders(&self, moment: Timestamp) -> Result<String, jiff::Error> {
        jiff::fmt::strtime::format(&self.partition, &moment.to_zoned(TimeZone::UTC))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn event(id: &str, timestamp: &str) -> EncodedEvent {
        let text = format!(r#"{{"decision_id":"{id}","timestamp":"{timestamp}"}}"#);
        EncodedEvent::decode(Bytes::from(text)).expect("an event")
    }

    fn layout(prefix: &str, partition: &str) -> Layout {
        Layout { prefix: Path::from(prefix), partition: partition.to_owned() }
    }

    #[test]
    fn objects_lie_by_the_hour_of_their_first_decision_in_utc() {
        let layout = layout("logs/prod", crate::config::DEFAULT_PARTITION);
        let first = event("4ca636c1-55e4-417a-b1d8-4aceb67960d1", "2026-01-02T23:04:05.6789+01:00");
        let expected = "logs/prod/year=2026/month=01/day=02/hour=22/\
                        20260102T220405.678900Z-4ca636c1-55e4-417a-b1d8-4aceb67960d1-7.ndjson.gz";
        assert_eq!(layout.name(&first, 7).as_ref(), expected);
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let name = layout("", "").name(&event("../../x", "2026-01-02T03:04:05Z"), 1);
        assert_eq!(name.as_ref(), "20260102T030405.000000Z-..%2F..%2Fx-1.ndjson.gz");
        for (partition, is_sound) in [
            ("", true),
            ("%Y/%m", true),
            ("a//b", false),
            ("../%Y", false),
            ("/a", false),
            ("%!", false),
            ("%Y%", false),
        ] {
            assert_eq!(layout("", partition).problem().is_none(), is_sound, "{partition}");
        }
    }
}
