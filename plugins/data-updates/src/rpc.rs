//! Messages on the websocket, as OPAL's peers exchange them. Each side asks and answers; a `call_id` pairs the two.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One message. One with neither a request nor a response says nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Message {
    /// What the other side wants done.
    #[serde(default)]
    pub request: Option<Request>,
    /// What came of what was wanted.
    #[serde(default)]
    pub response: Option<Response>,
    /// What Regent's own peers say beside that; all others pass over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regent: Option<Extension>,
}

/// What a hub and an agent of Regent tell each other, so that an agent that was away gets what it has missed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// In a `subscribe`: how far the agent has come. Without it the agent has nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Position>,
    /// In the answer to it: the log that `seq` counts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// In the answer: the number of the latest update. In a notice: that of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// In the answer: whether everything that was missed follows. Else the agent has to load base data anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
}

/// A place in the log of a hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which log.
    pub epoch: String,
    /// The number of the last update that came.
    pub seq: u64,
}

/// Something to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// What.
    #[serde(default)]
    pub method: Option<String>,
    /// With what.
    #[serde(default)]
    pub arguments: Option<Box<RawValue>>,
    /// By which the answer is known.
    #[serde(default)]
    pub call_id: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Response {
    /// What came of it.
    #[serde(default)]
    pub result: Option<Box<RawValue>>,
    /// The type of `result`, in Python's words.
    #[serde(default)]
    pub result_type: Option<String>,
    /// That of the request.
    #[serde(default)]
    pub call_id: Option<String>,
}

/// Arguments of `subscribe` and `unsubscribe`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Topics {
    /// The topics, as whole strings.
    pub topics: Vec<String>,
}

/// Arguments of `notify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notice {
    /// For whom.
    pub subscription: Subscription,
    /// What was published.
    #[serde(default)]
    pub data: Option<Box<RawValue>>,
}

/// What a notice is sent for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    #[serde(default)]
    pub id: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub subscriber_id: Option<String>,
    /// The topic that was published to.
    pub topic: String,
    /// Who published.
    #[serde(default)]
    pub notifier_id: Option<String>,
}

impl Message {
    /// A request.
    pub fn request(method: &str, arguments: Option<Box<RawValue>>, call_id: String) -> Self {
        let request = Request { method: Some(method.to_owned()), arguments, call_id: Some(call_id) };
        Self { request: Some(request), ..Self::default() }
    }

    /// The answer to a request.
    pub fn response(result: Box<RawValue>, result_type: &str, call_id: Option<String>) -> Self {
        let response = Response { result: Some(result), result_type: Some(result_type.to_owned()), call_id };
        Self { response: Some(response), ..Self::default() }
    }

    /// As it is sent.
    pub fn to_json(&self) -> String {
        raw(self).get().to_owned()
    }
}

/// Something as JSON.
pub fn raw<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    // What is sent are texts, lists and structures with texts for keys: all of it is JSON.
    serde_json::value::to_raw_value(value).unwrap_or_default()
}

/// An id as OPAL's programs make them: 32 hexadecimal digits.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_look_like_those_of_opal() {
        let topics = raw(&Topics { topics: vec!["policy_data".to_owned()] });
        let message = Message::request("subscribe", Some(topics), "c1".to_owned());
        let expected = r#"{"request":{"method":"subscribe","arguments":{"topics":["policy_data"]},"call_id":"c1"},"response":null}"#;
        assert_eq!(message.to_json(), expected);
        let answer = Message::response(raw(&true), "bool", Some("c1".to_owned()));
        let expected = r#"{"request":null,"response":{"result":true,"result_type":"bool","call_id":"c1"}}"#;
        assert_eq!(answer.to_json(), expected);
    }

    #[test]
    fn what_nobody_knows_is_passed_over() {
        let message: Message =
            serde_json::from_str(r#"{"request":{"method":"notify","x":1},"y":2}"#).expect("a message");
        assert_eq!(message.request.expect("a request").method.as_deref(), Some("notify"));
        let nothing: Message = serde_json::from_str("{}").expect("a message");
        assert!(nothing.request.is_none() && nothing.response.is_none());
    }
}
