//! The sink against brokers that librdkafka mocks.

mod agent;
mod publishing;
mod support;
