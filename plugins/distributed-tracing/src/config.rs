//! The `distributed_tracing` section.

use std::path::Path;
use std::time::Duration;

use regent_core::config::{ConfigError, ConfigErrors, Section};
use regent_core::plugin::{Known, PluginConfig};
use regent_core::service::ClientIdentity;
use regent_services::tls::{Authorities, ClientConfig, ClientSetup, TlsError};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where spans go, and how.
#[derive(Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Config {
    /// `grpc`, `http`, or nothing for no traces.
    pub(crate) r#type: Option<String>,
    /// The collector's `host:port`; `localhost:4317` for gRPC and `localhost:4318` for HTTP by default.
    address: Option<String>,
    /// The name under which spans appear; `opa` by default.
    service_name: Option<String>,
    /// How many of a hundred traces that begin here are shown; all of them by default. Traces that began elsewhere go
    /// by what was decided there.
    sample_percentage: Option<f64>,
    /// `off`, `tls` or `mtls`; off by default.
    encryption: Option<String>,
    /// Whether the collector may say to be anyone.
    allow_insecure_tls: Option<bool>,
    /// The certificates of authorities in PEM, in place of the system's.
    tls_ca_cert_file: Option<String>,
    /// The agent's certificate in PEM.
    tls_cert_file: Option<String>,
    /// The key of that certificate in PEM.
    tls_private_key_file: Option<String>,
    /// What else is known of the agent.
    resource: ResourceConfig,
    /// How spans are gathered.
    batch_span_processor_options: BatchConfig,
    /// TLS, once the files have been read.
    #[serde(skip)]
    #[schemars(skip)]
    tls: Option<Tls>,
}

/// TLS towards the collector.
#[derive(Clone)]
struct Tls {
    /// Whom it is made of; two are the same if these are.
    peers: (Authorities, Option<ClientIdentity>),
    config: ClientConfig,
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.peers == other.peers
    }
}

/// What is known of the agent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct ResourceConfig {
    /// `service.version`
    service_version: Option<String>,
    /// `service.instance.id`
    service_instance_id: Option<String>,
    /// `service.namespace`
    service_namespace: Option<String>,
    /// `deployment.environment`
    deployment_environment: Option<String>,
}

/// How spans are gathered.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct BatchConfig {
    /// Whether requests wait for room in the queue; else spans that find none are dropped. False by default.
    blocking: Option<bool>,
    /// The longest that a span waits for others, in milliseconds; 5000 by default.
    batch_timeout_ms: Option<i64>,
    /// How long a delivery may take, attempts and all, in milliseconds; 30000 by default.
    export_timeout_ms: Option<i64>,
    /// Most spans of a delivery; 512 by default.
    max_export_batch_size: Option<i64>,
    /// Most spans that wait; 2048 by default.
    max_queue_size: Option<i64>,
}

/// How spans travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    Http,
}

/// How spans are gathered, with everything said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batching {
    pub(crate) blocking: bool,
    pub(crate) wait: Duration,
    pub(crate) export_timeout: Duration,
    pub(crate) most: usize,
    pub(crate) queue: usize,
}

impl PluginConfig for Config {
    fn validate(&mut self, section: &Section, _: &Known) -> Result<(), ConfigErrors> {
        let wrong: Vec<_> = [self.wrong_type(), self.wrong_encryption(), self.wrong_percentage()]
            .into_iter()
            .flatten()
            .chain(self.wrong_amounts())
            .collect();
        let refused = |texts: Vec<String>| {
            let errors = texts.into_iter().map(|text| ConfigError::opa(text).from_layer(section.origin("")));
            ConfigErrors(errors.collect())
        };
        if !wrong.is_empty() {
            return Err(refused(wrong));
        }
        if self.protocol().is_some() {
            self.tls = self.read_tls().map_err(|why| refused(vec![why]))?;
        }
        Ok(())
    }

    fn is_wanted(&self, _: &Known) -> bool {
        self.protocol().is_some()
    }
}

impl Config {
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        match self.r#type.as_deref() {
            Some("grpc") => Some(Protocol::Grpc),
            Some("http") => Some(Protocol::Http),
            _ => None,
        }
    }

    /// The collector's `host:port`.
    pub(crate) fn address(&self) -> &str {
        let default = if self.protocol() == Some(Protocol::Grpc) { "localhost:4317" } else { "localhost:4318" };
        given(self.address.as_deref()).unwrap_or(default)
    }

    /// The share of traces to show, from 0 to 1.
    pub(crate) fn sample(&self) -> f64 {
        self.sample_percentage.unwrap_or(100.0) / 100.0
    }

    /// TLS towards the collector, if it is to be used.
    pub(crate) fn tls(&self) -> Option<&ClientConfig> {
        self.tls.as_ref().map(|tls| &tls.config)
    }

    /// What is known of the agent, under OpenTelemetry's names.
    pub(crate) fn resource(&self) -> Vec<(&'static str, String)> {
        let resource = &self.resource;
        let optional = [
            ("service.version", &resource.service_version),
            ("service.instance.id", &resource.service_instance_id),
            ("service.namespace", &resource.service_namespace),
            ("deployment.environment", &resource.deployment_environment),
        ];
        let name = given(self.service_name.as_deref()).unwrap_or("opa");
        let known = optional.into_iter().filter_map(|(key, value)| Some((key, given(value.as_deref())?.to_owned())));
        std::iter::once(("service.name", name.to_owned())).chain(known).collect()
    }

    pub(crate) fn batching(&self) -> Batching {
        let options = &self.batch_span_processor_options;
        let number =
            |value: Option<i64>, default: u32| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default);
        let milliseconds = |value, default| Duration::from_millis(number(value, default).into());
        let spans = |value, default| usize::try_from(number(value, default)).unwrap_or(usize::MAX).min(MOST_SPANS);
        let queue = spans(options.max_queue_size, 2048);
        Batching {
            blocking: options.blocking.unwrap_or(false),
            wait: milliseconds(options.batch_timeout_ms, 5000),
            export_timeout: milliseconds(options.export_timeout_ms, 30000),
            most: spans(options.max_export_batch_size, 512).min(queue),
            queue,
        }
    }

    fn encryption(&self) -> &str {
        given(self.encryption.as_deref()).unwrap_or("off")
    }

    fn wrong_type(&self) -> Option<String> {
        let kind = given(self.r#type.as_deref()).filter(|kind| !matches!(*kind, "grpc" | "http"))?;
        Some(format!(r#"unknown distributed_tracing.type '{kind}', must be "grpc", "http" or "" (unset)"#))
    }

    fn wrong_encryption(&self) -> Option<String> {
        let scheme = Some(self.encryption()).filter(|scheme| !matches!(*scheme, "off" | "tls" | "mtls"))?;
        Some(format!("unsupported distributed_tracing.encryption_scheme '{scheme}'"))
    }

    fn wrong_percentage(&self) -> Option<String> {
        let percentage = self.sample_percentage.filter(|percentage| !(0.0..=100.0).contains(percentage))?;
        Some(format!("unsupported distributed_tracing.sample_percentage '{percentage}'"))
    }

    /// OPA takes any amount, and then does what Go does with it.
    fn wrong_amounts(&self) -> impl Iterator<Item = String> {
        let options = &self.batch_span_processor_options;
        let amounts = [
            ("batch_timeout_ms", options.batch_timeout_ms),
            ("export_timeout_ms", options.export_timeout_ms),
            ("max_export_batch_size", options.max_export_batch_size),
            ("max_queue_size", options.max_queue_size),
        ];
        amounts.into_iter().filter(|(_, amount)| amount.is_some_and(|amount| amount <= 0)).map(|(key, _)| {
            format!("invalid value for distributed_tracing.batch_span_processor_options.{key} field, should be a positive number")
        })
    }

    fn read_tls(&self) -> Result<Option<Tls>, String> {
        let identity = self.identity()?;
        let authorities = self.authorities()?;
        let identity = match self.encryption() {
            "off" => return Ok(None),
            "mtls" => Some(identity.ok_or("distributed_tracing.tls_cert_file required but not supplied")?),
            _ => None,
        };
        let setup = ClientSetup { authorities: &authorities, identity: identity.as_ref(), server_name: None };
        let made = setup.config();
        let config = made.map_err(|error| format!("distributed_tracing: {}", regent_core::error::chain(&error)))?;
        Ok(Some(Tls { peers: (authorities, identity), config }))
    }

    fn identity(&self) -> Result<Option<ClientIdentity>, String> {
        let (certificate, key) = (given(self.tls_cert_file.as_deref()), given(self.tls_private_key_file.as_deref()));
        match (certificate, key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                let (certificates, private_key) = (read(certificate)?, read(key)?);
                Ok(Some(ClientIdentity { certificates, private_key }))
            }
            _ => Err("distributed_tracing.tls_cert_file and distributed_tracing.tls_private_key_file \
                      must be specified together"
                .to_owned()),
        }
    }

    fn authorities(&self) -> Result<Authorities, String> {
        let own = given(self.tls_ca_cert_file.as_deref());
        let read = |file| read(file).map(|pem| (file, pem)).map_err(|why| format!("read CA cert file: {why}"));
        let own = own.map(read).transpose()?;
        let Some((file, pem)) = own else {
            return Ok(if self.allow_insecure_tls == Some(true) { Authorities::Anyone } else { Authorities::System });
        };
        // Looked into even if nobody is going to be asked for a certificate, as OPA does.
        let own = Authorities::Only(pem);
        let tried = ClientSetup { authorities: &own, identity: None, server_name: None }.config();
        if matches!(tried, Err(TlsError::Authority)) {
            return Err(format!("failed to parse CA cert {file:?}"));
        }
        Ok(if self.allow_insecure_tls == Some(true) { Authorities::Anyone } else { own })
    }
}

/// More spans than this never wait, whatever is configured: about a gigabyte.
const MOST_SPANS: usize = 1 << 20;

/// A text that says something.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    std::fs::read(Path::new(file)).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        format!("open {file}: {why}")
    })
}

#[cfg(test)]
mod tests {
    use regent_core::config::Layers;

    use super::*;

    fn checked(yaml: &str) -> Result<Config, String> {
        let tree = Layers::new().text("test", &format!("distributed_tracing: {yaml}")).load().expect("YAML");
        let section = tree.section(&["distributed_tracing"]).expect("the section");
        let mut config = section.parse::<Config>().map_err(|error| error.to_string())?;
        let texts = |errors: ConfigErrors| errors.0.iter().map(|error| error.message().to_owned()).collect::<Vec<_>>();
        config.validate(&section, &Known::default()).map_err(|errors| texts(errors).join("; "))?;
        Ok(config)
    }

    fn refusal(yaml: &str) -> String {
        checked(yaml).err().unwrap_or_else(|| panic!("{yaml} is taken"))
    }

    #[test]
    fn what_is_wrong_is_said_in_opas_words() {
        let unknown = r#"unknown distributed_tracing.type 'foo', must be "grpc", "http" or "" (unset)"#;
        assert_eq!(refusal("{type: foo}"), unknown);
        assert_eq!(refusal("{type: grpc, encryption: foo}"), "unsupported distributed_tracing.encryption_scheme 'foo'");
        assert_eq!(refusal("{sample_percentage: 101}"), "unsupported distributed_tracing.sample_percentage '101'");
        assert_eq!(refusal("{sample_percentage: -0.5}"), "unsupported distributed_tracing.sample_percentage '-0.5'");
        let together = "distributed_tracing.tls_cert_file and distributed_tracing.tls_private_key_file \
                        must be specified together";
        assert_eq!(refusal("{type: http, tls_cert_file: a}"), together);
        assert_eq!(refusal("{type: http, tls_private_key_file: a}"), together);
        let required = "distributed_tracing.tls_cert_file required but not supplied";
        assert_eq!(refusal("{type: http, encryption: mtls}"), required);
        let unread = "read CA cert file: open /nonexistent/ca.pem: no such file or directory";
        assert_eq!(refusal("{type: grpc, tls_ca_cert_file: /nonexistent/ca.pem}"), unread);
        let unparsed = r#"failed to parse CA cert "/dev/null""#;
        assert_eq!(refusal("{type: grpc, encryption: tls, tls_ca_cert_file: /dev/null}"), unparsed);
        let amount = "invalid value for distributed_tracing.batch_span_processor_options.max_queue_size field, \
                      should be a positive number";
        assert_eq!(refusal("{batch_span_processor_options: {max_queue_size: 0}}"), amount);
    }

    #[test]
    fn everything_but_the_type_has_a_default() {
        for off in ["{}", "{type: ''}", "{address: 'x:1'}"] {
            assert!(!checked(off).expect("sound").is_wanted(&Known::default()), "{off}");
        }
        let http = checked("{type: http}").expect("sound");
        assert_eq!(
            (http.address(), http.sample(), http.resource()),
            ("localhost:4318", 1.0, vec![("service.name", "opa".into())])
        );
        let wait = Duration::from_secs(5);
        let export_timeout = Duration::from_secs(30);
        assert_eq!(http.batching(), Batching { blocking: false, wait, export_timeout, most: 512, queue: 2048 });
        assert!(http.tls().is_none());
        assert_eq!(checked("{type: grpc}").expect("sound").address(), "localhost:4317");
    }

    #[test]
    fn what_is_said_counts() {
        let config = "{type: grpc, address: 'x:1', service_name: gate, sample_percentage: 25, \
                       resource: {service_version: v, service_instance_id: i, service_namespace: s, deployment_environment: d}, \
                       batch_span_processor_options: {blocking: true, batch_timeout_ms: 1, export_timeout_ms: 2, \
                       max_export_batch_size: 9, max_queue_size: 4}}";
        let config = checked(config).expect("sound");
        assert_eq!((config.address(), config.sample()), ("x:1", 0.25));
        let keys: Vec<_> = config.resource().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        let expected =
            "service.name=gate service.version=v service.instance.id=i service.namespace=s deployment.environment=d";
        assert_eq!(keys.join(" "), expected);
        let (wait, export_timeout) = (Duration::from_millis(1), Duration::from_millis(2));
        assert_eq!(config.batching(), Batching { blocking: true, wait, export_timeout, most: 4, queue: 4 });
    }
}
